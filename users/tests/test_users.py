"""The user model, its manager and the commands that create people."""

import logging
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client

from conftest import ALICE, BORIS
from referrals.invite_codes import PATTERN
from referrals.models import Referral, ReplacedInviteCode
from users.models import User
from users.phones import NotAPhoneNumber

pytestmark = pytest.mark.django_db


def test_a_person_has_an_invite_code_from_the_start() -> None:
    user = User.objects.create_user("8 (999) 000-00-01")
    assert user.phone_number == ALICE
    assert re.fullmatch(PATTERN, user.invite_code)
    assert not user.has_usable_password()


def test_a_taken_invite_code_is_drawn_again(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([alice.invite_code, alice.invite_code, "7K9QXT"])
    monkeypatch.setattr("users.models.draw_invite_code", lambda: next(draws))
    assert User.objects.create_user(BORIS).invite_code == "7K9QXT"


def test_a_replaced_invite_code_is_not_given_to_a_new_account(
    alice: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its old owner may still be credited for it."""
    ReplacedInviteCode.objects.create(
        code="7K9QXT", owner=alice, is_honoured=True, reason="x", by=staff
    )
    draws = iter(["7K9QXT", "8M2RZV"])
    monkeypatch.setattr("users.models.draw_invite_code", lambda: next(draws))
    assert User.objects.create_user(BORIS).invite_code == "8M2RZV"


def test_drawing_again_has_an_end(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("users.models.draw_invite_code", lambda: alice.invite_code)
    with pytest.raises(IntegrityError):
        User.objects.create_user(BORIS)


def test_a_number_has_one_account(alice: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.create_user(ALICE)


def test_a_text_that_is_no_number_has_no_account() -> None:
    with pytest.raises(NotAPhoneNumber):
        User.objects.create_user("12")


@pytest.mark.parametrize(
    ("name", "value", "constraint"),
    [
        ("phone_number", "89990000001", "user_phone_number_is_e164"),
        ("phone_number", "", "user_phone_number_is_e164"),
        ("invite_code", "", "user_invite_code_is_valid"),
        ("invite_code", "abcdef", "user_invite_code_is_valid"),
        ("invite_code", "ABCDEU", "user_invite_code_is_valid"),
    ],
)
def test_the_database_alone_refuses_a_malformed(
    alice: User, name: str, value: str, constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        User.objects.filter(pk=alice.pk).update(**{name: value})


def test_names_for_people() -> None:
    user = User(phone_number=ALICE, first_name="Alice", last_name="Novak")
    assert (user.get_full_name(), user.get_short_name()) == ("Alice Novak", "Alice")
    assert str(user) == "+7999•••••01"  # stays in the admin site's history


def test_createsuperuser_unattended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PHONE_NUMBER", "8 (999) 000-00-01")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long password")
    call_command("createsuperuser", interactive=False, stdout=StringIO())
    user = User.objects.get()
    assert (user.phone_number, user.is_staff, user.is_superuser) == (ALICE, True, True)
    assert user.check_password("a long password")


def test_createsuperuser_refuses_what_is_no_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PHONE_NUMBER", "12")
    with pytest.raises(CommandError, match="not a valid phone number"):
        call_command("createsuperuser", interactive=False)


def test_demo_makes_50_people_who_invited_each_other(client: Client) -> None:
    out = StringIO()
    call_command("demo", stdout=out)
    assert User.objects.filter(is_staff=False).count() == 50
    assert 30 <= Referral.objects.count() < 50
    said = re.search(r"with (\S+) and password (\S+)", out.getvalue())
    assert said
    assert client.login(username=said[1], password=said[2])


@pytest.mark.django_db(transaction=True)  # the audit trail writes after the commit
def test_demo_prints_only_how_to_sign_in(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        call_command("demo")
        logging.getLogger("audit").info("after the command")
    assert [record.getMessage() for record in caplog.records] == ["after the command"]
    printed = capfd.readouterr()
    assert len(printed.out.splitlines()) == 3
    assert printed.err == ""


def test_demo_runs_once() -> None:
    call_command("demo", stdout=StringIO())
    with pytest.raises(CommandError, match="already"):
        call_command("demo")
