"""Absolute URLs are below PUBLIC_URL if it is set, else on the host of the request."""

import os
import subprocess
import sys

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.test import Client

from config.tests.test_settings import read_settings
from conftest import open_session, signed_in, signed_in_as_staff
from referrals.tests.test_ledger import activate
from referrals.tests.test_list import invite_many
from users.models import User
from users.qr_codes import qr_code
from users.staff import ledger

pytestmark = pytest.mark.django_db

PUBLIC = "https://referral.example.com"


@pytest.fixture(params=[PUBLIC, ""])
def base(request: pytest.FixtureRequest, settings: LazySettings) -> str:
    settings.PUBLIC_URL = request.param
    return request.param or "http://testserver"


@pytest.fixture
def inviter(alice: User) -> User:
    """Alice, with more invitees than a page shows."""
    invite_many(alice, 51)
    return alice


def test_links_of_the_profile(base: str, inviter: User) -> None:
    profile = signed_in(inviter).get("/api/profile/").json()
    assert profile["invite_link"] == f"{base}/i/{inviter.invite_code}/"
    assert profile["referrals_next"].startswith(f"{base}/api/profile/referrals/?cursor")


def test_links_of_a_new_user(base: str, alice: User, boris: User) -> None:
    body = {"invite_code": alice.invite_code}
    answer = signed_in(boris).post("/api/profile/", body).json()
    assert answer["profile"]["invite_link"] == f"{base}/i/{boris.invite_code}/"


def test_link_and_qr_code_of_the_profile_page(
    base: str, client: Client, inviter: User
) -> None:
    open_session(client, inviter)
    page = client.get("/profile/?all=1").content.decode()
    link = f"{base}/i/{inviter.invite_code}/"
    assert f'data-copy="{link}"' in page
    assert qr_code(f"{link}?by=qr") in page
    assert f'href="{base}/profile/?all=1&amp;cursor=' in page


def test_links_between_pages_of_a_list(base: str, inviter: User, staff: User) -> None:
    for client, path in (
        (signed_in(inviter), "/api/profile/referrals/"),
        (signed_in_as_staff(staff), "/api/users/"),
    ):
        first = client.get(path).json()
        start = f"{base}{path}?cursor="
        assert first["previous"] is None
        assert first["next"].startswith(start)
        second = client.get(first["next"].removeprefix(base)).json()
        assert second["previous"].startswith(base + path)
        assert len(second["results"]) >= 1


def test_link_between_pages_of_the_ledger(
    base: str, alice: User, boris: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "PAGE_SIZE", 1)
    activate(alice, staff)
    activate(boris, staff)
    first = signed_in_as_staff(staff).get("/api/referrals/").json()
    assert first["next"] == f"{base}/api/referrals/?since=1"


def test_preview_of_an_invite_link(base: str, client: Client, alice: User) -> None:
    page = client.get(f"/i/{alice.invite_code.lower()}/?utm_source=x").content.decode()
    link = f"{base}/i/{alice.invite_code}/"
    assert f'<meta property="og:url" content="{link}">' in page
    assert f'<link rel="canonical" href="{link}">' in page
    assert f'<meta property="og:image" content="{base}/static/share.png">' in page


def test_canonical_address_of_the_front_page(base: str, client: Client) -> None:
    page = client.get("/?utm_source=x").content.decode()
    assert f'<link rel="canonical" href="{base}/">' in page


@pytest.mark.parametrize(("given", "server"), [(f"{PUBLIC}/", PUBLIC), ("", "/")])
def test_the_schema_names_the_server(given: str, server: str) -> None:
    code = "from config.settings import SPECTACULAR_SETTINGS as s; print(s['SERVERS'])"
    env = {**os.environ, "ENV_FILE": os.devnull, "PUBLIC_URL": given}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=django_settings.BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == str([{"url": server}])


@pytest.mark.parametrize(("given", "host"), [(PUBLIC, PUBLIC[8:]), ("", None)])
def test_forms_and_the_redirect_to_https_know_the_public_host(
    given: str, host: str | None
) -> None:
    found = read_settings(
        ["CSRF_TRUSTED_ORIGINS", "SECURE_SSL_HOST"],
        PUBLIC_URL=given,
        CSRF_TRUSTED_ORIGINS="https://www.example.com",
    )
    origins = ["https://www.example.com", *([given] if given else [])]
    assert found == {"CSRF_TRUSTED_ORIGINS": origins, "SECURE_SSL_HOST": host}
