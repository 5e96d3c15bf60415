"""Every URL of the admin site with everybody: one table, and nothing left out."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver

from config.admin.changed_columns import SavesChangedColumns
from conftest import STAFF, open_session
from referrals.models import Correction, Referral
from users.models import User
from users.staff.admin_site import BY_PASSWORD
from users.staff.support_group import give_rights
from webhooks.models import Event

pytestmark = pytest.mark.django_db

# Status of GET and of an empty POST for support staff, and of both for a superuser.
# Everybody else is sent to the sign-in. `{alice}` is a person and `{olga}` one of
# staff; `{of_alice}` and `{of_olga}` are corrections of their inviters.
TABLE = {
    "": (200, 200, 200, 200),
    "auth/group/": (403, 403, 200, 200),
    "auth/group/add/": (403, 403, 200, 200),
    "auth/group/{group}/": (302, 302, 302, 302),
    "auth/group/{group}/change/": (403, 403, 200, 200),
    "auth/group/{group}/delete/": (403, 403, 200, 200),
    "auth/group/{group}/history/": (403, 403, 200, 200),
    "autocomplete/": (403, 405, 403, 405),
    "dashboard/": (200, 405, 200, 405),
    "dashboard/days.csv": (200, 405, 200, 405),
    "jsi18n/": (200, 405, 200, 405),
    "login/": (302, 200, 302, 200),
    "logout/": (405, 200, 405, 200),
    "password_change/": (200, 200, 200, 200),
    "password_change/done/": (200, 405, 200, 405),
    "referrals/correction/": (200, 200, 200, 200),
    "referrals/correction/add/": (403, 403, 403, 403),
    "referrals/correction/{of_alice}/": (302, 302, 302, 302),
    "referrals/correction/{of_alice}/change/": (200, 403, 200, 403),
    "referrals/correction/{of_alice}/delete/": (403, 403, 403, 403),
    "referrals/correction/{of_alice}/history/": (200, 200, 200, 200),
    "referrals/correction/{of_alice}/revert/": (200, 200, 200, 200),
    "referrals/correction/{of_olga}/": (302, 302, 302, 302),
    "referrals/correction/{of_olga}/change/": (200, 403, 200, 403),
    "referrals/correction/{of_olga}/delete/": (403, 403, 403, 403),
    "referrals/correction/{of_olga}/history/": (200, 200, 200, 200),
    "referrals/correction/{of_olga}/revert/": (403, 403, 200, 200),
    "referrals/referral/": (200, 200, 200, 200),
    "referrals/referral/add/": (403, 403, 403, 403),
    "referrals/referral/export/": (405, 403, 405, 200),
    "referrals/referral/why/": (200, 200, 200, 200),
    "referrals/referral/{alice}/": (302, 302, 302, 302),
    "referrals/referral/{alice}/change/": (200, 403, 200, 403),
    "referrals/referral/{alice}/correct/": (200, 200, 200, 200),
    "referrals/referral/{alice}/replace-code/": (200, 200, 200, 200),
    "referrals/referral/{alice}/delete/": (403, 403, 403, 403),
    "referrals/referral/{alice}/history/": (200, 200, 200, 200),
    "referrals/referral/{olga}/": (302, 302, 302, 302),
    "referrals/referral/{olga}/change/": (200, 403, 200, 403),
    "referrals/referral/{olga}/correct/": (403, 403, 200, 200),
    "referrals/referral/{olga}/replace-code/": (403, 403, 200, 200),
    "referrals/referral/{olga}/delete/": (403, 403, 403, 403),
    "referrals/referral/{olga}/history/": (200, 200, 200, 200),
    "second-factor/": (302, 302, 302, 302),
    "second-factor/set-up/": (302, 302, 302, 302),
    "users/user/": (200, 200, 200, 200),
    "users/user/add/": (403, 403, 200, 200),
    "users/user/export/": (405, 403, 405, 200),
    "users/user/number/": (200, 200, 200, 200),
    "users/user/{alice}/": (302, 302, 302, 302),
    "users/user/{alice}/change/": (200, 403, 200, 200),
    "users/user/{alice}/delete/": (403, 403, 200, 200),
    "users/user/{alice}/history/": (200, 200, 200, 200),
    "users/user/{alice}/password/": (403, 403, 200, 200),
    "users/user/{alice}/reset-guesses/": (405, 403, 405, 302),
    "users/user/{alice}/reset-second-factor/": (405, 403, 405, 302),
    "users/user/{alice}/sign-out-everywhere/": (405, 302, 405, 302),
    "users/user/{alice}/sign-out/": (405, 404, 405, 404),
    "users/user/{alice}/unlock/": (405, 302, 405, 302),
    "users/user/{olga}/": (302, 302, 302, 302),
    "users/user/{olga}/change/": (200, 403, 200, 200),
    "users/user/{olga}/delete/": (403, 403, 200, 200),
    "users/user/{olga}/history/": (200, 200, 200, 200),
    "users/user/{olga}/password/": (403, 403, 200, 200),
    "users/user/{olga}/reset-guesses/": (405, 403, 405, 302),
    "users/user/{olga}/reset-second-factor/": (405, 403, 405, 302),
    "users/user/{olga}/sign-out-everywhere/": (405, 403, 405, 302),
    "users/user/{olga}/sign-out/": (405, 403, 405, 404),
    "users/user/{olga}/unlock/": (405, 403, 405, 302),
    "webhooks/event/": (403, 403, 200, 200),
    "webhooks/event/add/": (403, 403, 403, 403),
    "webhooks/event/{event}/": (302, 302, 302, 302),
    "webhooks/event/{event}/change/": (403, 403, 200, 403),
    "webhooks/event/{event}/delete/": (403, 403, 403, 403),
    "webhooks/event/{event}/history/": (403, 403, 200, 200),
    "users/": (200, 200, 200, 200),
    "no-such-page/": (404, 404, 404, 404),
    "r/{user_type}/{alice}/": (404, 404, 404, 404),
}
SIGN_IN, SIGN_OUT = "login/", "logout/"
# What the table names in place of two regular expressions.
EXPRESSIONS = {"app_label": "users/", "url": "no-such-page/"}


@pytest.fixture
def ids(alice: User, boris: User) -> dict[str, Any]:
    olga = User.objects.create_superuser("+79990000010", "a long password")
    for invitee in (alice, olga):
        Referral.objects.create(
            invitee=invitee, inviter=boris, code_used=boris.invite_code
        )
    return {
        "alice": alice.pk,
        "olga": olga.pk,
        "of_alice": Correction.objects.create(invitee=alice, reason="x").pk,
        "of_olga": Correction.objects.create(invitee=olga, reason="x").pk,
        "group": Group.objects.create(name="Readers").pk,
        "event": Event.objects.create(type="user.created", data={}).pk,
        "user_type": ContentType.objects.get_for_model(User).pk,
    }


@pytest.fixture
def support(clara: User) -> User:
    clara.is_staff = True
    clara.save()
    clara.groups.add(give_rights())
    return clara


def statuses(client: Client, url: str) -> tuple[int, int]:
    return client.get(url).status_code, client.post(url).status_code


@pytest.mark.parametrize("path", TABLE)
def test_support_and_superusers(
    ids: dict[str, Any], support: User, staff: User, path: str
) -> None:
    found: tuple[int, ...] = ()
    for user in (support, staff):
        client = Client()
        open_session(client, user, backend=BY_PASSWORD)
        found += statuses(client, "/admin/" + path.format(**ids))
    assert found == TABLE[path]


@pytest.mark.parametrize("who", ["nobody", "by a code", "without the second factor"])
def test_everybody_else_is_sent_to_the_sign_in(
    ids: dict[str, Any], staff: User, settings: LazySettings, who: str
) -> None:
    """Also a superuser who signed in with a code by SMS, or with the password only."""
    client = Client()
    if who == "by a code":
        open_session(client, staff)
    elif who == "without the second factor":
        settings.ADMIN_SECOND_FACTOR = True
        open_session(client, staff, backend=BY_PASSWORD)
    assert statuses(client, "/admin/" + SIGN_IN) == (200, 200)
    for path in [*(TABLE.keys() - {SIGN_IN, SIGN_OUT}), SIGN_OUT]:
        url = "/admin/" + path.format(**ids)
        for answer in (client.get(url), client.post(url)):
            assert answer.status_code == 302, path
            assert re.match("/admin/(login/|$)", answer["Location"]), path


def test_nothing_of_staff_was_changed_by_support(
    ids: dict[str, Any], support: User
) -> None:
    """Forms that are filled in, where the table sends them empty."""
    client = Client()
    open_session(client, support, backend=BY_PASSWORD)
    olga = User.objects.get(pk=ids["olga"])
    rows = [list(model.objects.values()) for model in (User, Referral, Correction)]
    forms: dict[str, dict[str, Any]] = {
        "users/user/{olga}/change/": {"phone_number": STAFF, "is_active": ""},
        "users/user/{olga}/delete/": {"post": "yes"},
        "users/user/{olga}/password/": {
            "password1": "copper lantern 42 fjord",
            "password2": "copper lantern 42 fjord",
            "usable_password": "true",
        },
        "referrals/referral/{olga}/correct/": {
            "inviter": "",
            "reason": "x",
            "seen": f"{olga.activation.inviter_id}:{olga.activation.code_used}",
        },
        "referrals/referral/{olga}/replace-code/": {
            "old_code": "refused",
            "reason": "x",
            "seen": olga.invite_code,
        },
        "referrals/referral/{olga}/change/": {"code_used": "AAAAAA"},
        "referrals/referral/{olga}/delete/": {"post": "yes"},
        "referrals/correction/{of_olga}/revert/": {"reason": "x"},
        "referrals/correction/{of_olga}/delete/": {"post": "yes"},
    }
    for path, form in forms.items():
        answer = client.post("/admin/" + path.format(**ids), form)
        assert answer.status_code == 403, path
    for page in ("users/user/", "referrals/referral/", "referrals/correction/"):
        form = {"action": "delete_selected", "_selected_action": olga.pk, "post": "yes"}
        client.post(f"/admin/{page}", form)
    same = [list(model.objects.values()) for model in (User, Referral, Correction)]
    assert same == rows


def test_every_form_saves_only_the_columns_that_it_changed(
    rf: RequestFactory, staff: User
) -> None:
    request = rf.get("/")
    request.user = staff
    for model, model_admin in admin.site._registry.items():
        saves_all = not isinstance(model_admin, SavesChangedColumns)
        assert not (saves_all and model_admin.has_change_permission(request)), model


def test_every_url_is_in_the_table() -> None:
    tested = {re.sub("{[a-z_]+}", "<…>", path) for path in TABLE}
    served = {_as_in_the_table(path) for path in _paths(get_resolver())}
    assert tested == served


def _as_in_the_table(path: str) -> str:
    if expression := re.search(r"\(\?P<(\w+)>", path):
        return EXPRESSIONS[expression[1]]
    return re.sub("<[a-z:_]+>", "<…>", path)


def _paths(resolver: URLResolver, prefix: str = "") -> set[str]:
    """The paths of the admin site, without its own."""
    found: set[str] = set()
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found |= _paths(entry, path)
        elif path.startswith("admin/"):
            found.add(path.removeprefix("admin/"))
    return found
