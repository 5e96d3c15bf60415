"""What support sees of a number that no account has."""

from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, ask_for_code, open_session
from limits.budgets import attempt, reserve, used
from users.models import User
from users.staff.admin_site import BY_PASSWORD

pytestmark = pytest.mark.django_db

NUMBER = "/admin/users/user/number/"
PEOPLE = "/admin/users/user/"
LOOK = {"phone_number": "8 (999) 000-00-01"}
UNLOCK = {**LOOK, "unlock": "yes"}


@pytest.fixture
def helper(client: Client, boris: User) -> Client:
    """Boris, one of the support staff."""
    call_command("support_group", stdout=StringIO())
    boris.is_staff = True
    boris.save()
    boris.groups.set(boris.groups.model.objects.filter(name="Support"))
    open_session(client, boris, backend=BY_PASSWORD)
    return client


def use_up_sends() -> None:
    limit = settings.LIMITS["sends_per_phone_hour"]
    assert limit
    for _ in range(limit.count):
        reserve(attempt("sends_per_phone_hour", ALICE.pseudonym))


def test_the_history_of_a_number_without_an_account(helper: Client) -> None:
    code = ask_for_code(APIClient(), ALICE)
    body = helper.post(NUMBER, LOOK).content.decode()
    assert "No account has +7 999 000-00-01" in body
    assert "A code was sent" in body
    assert "A code of 4 digits is valid until" in body
    assert ">sends_per_phone_day<" in body
    assert code not in body
    assert not User.objects.filter(phone_number=ALICE).exists()


def test_the_search_that_finds_nobody_leads_to_it(helper: Client) -> None:
    body = helper.get(PEOPLE, {"q": LOOK["phone_number"]}).content.decode()
    assert f'action="{NUMBER}"' in body
    assert f'name="phone_number" value="{ALICE}"' in body
    for search in ("", BORIS, "nonsense", "7K9QXT"):
        body = helper.get(PEOPLE, {"q": search}).content.decode()
        assert f'action="{NUMBER}"' not in body


def test_a_number_in_the_url_is_not_read(helper: Client) -> None:
    assert "No account has" not in helper.get(NUMBER, LOOK).content.decode()


def test_a_number_with_an_account_leads_to_its_page(
    helper: Client, alice: User
) -> None:
    use_up_sends()
    for form in (LOOK, UNLOCK):
        answer = helper.post(NUMBER, form)
        assert answer["Location"] == f"/admin/users/user/{alice.pk}/change/"
    assert used("sends_per_phone_hour", ALICE.pseudonym)


@pytest.mark.parametrize("text", ["", "12", "nobody"])
def test_a_text_that_is_no_number_is_refused(helper: Client, text: str) -> None:
    body = helper.post(NUMBER, {"phone_number": text}).content.decode()
    assert "No account has" not in body
    assert 'class="errorlist"' in body


def test_support_unlocks_the_number(
    helper: Client, boris: User, records: list[dict[str, object]]
) -> None:
    use_up_sends()
    reserve(attempt("guesses_per_phone_month", ALICE.pseudonym))
    ask = {"phone_number": ALICE}
    assert "used-up" in helper.post(NUMBER, LOOK).content.decode()
    body = helper.post(NUMBER, UNLOCK).content.decode()
    assert "The limits have been cleared." in body
    assert "used-up" not in body
    assert APIClient().post("/api/auth/request-code/", ask).status_code == 200
    assert used("guesses_per_phone_month", ALICE.pseudonym) == 1
    facts = {"phone": ALICE.masked, "by": boris.pk}
    assert {"event": "limits.cleared", **facts} in records


@pytest.mark.parametrize(
    ("right", "look", "unlock"),
    [("view_device", 403, 403), ("view_user", 200, 403), ("unlock_user", 403, 403)],
)
def test_each_step_needs_its_right(
    client: Client, boris: User, right: str, look: int, unlock: int
) -> None:
    boris.is_staff = True
    boris.save()
    boris.user_permissions.add(Permission.objects.get(codename=right))
    open_session(client, boris, backend=BY_PASSWORD)
    use_up_sends()
    assert client.post(NUMBER, LOOK).status_code == look
    assert client.post(NUMBER, UNLOCK).status_code == unlock
    assert used("sends_per_phone_hour", ALICE.pseudonym)


def test_a_forged_form_unlocks_nothing(staff: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    open_session(strict, staff, backend=BY_PASSWORD)
    use_up_sends()
    assert strict.post(NUMBER, UNLOCK).status_code == 403
    assert used("sends_per_phone_hour", ALICE.pseudonym)
