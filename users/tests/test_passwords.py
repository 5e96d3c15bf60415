"""Which passwords staff may choose."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.test import Client

from users.models import User

OLGA = User(
    phone_number="+79161234567",
    first_name="Olga",
    last_name="Sokolova",
    email="olga@example.com",
)


@pytest.mark.parametrize(
    "password",
    [
        "Tr0ub4dor&3",  # 11 characters
        "password1234",
        "iloveyouforever",
        "qwertyuiop[]",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "20262026202620262026",
        "Referral-Admin-2026",
        "ReferralReferral!",
        "support-staff-1",
        "9161234567-olga",
        "1234567sokolova",
        "+7 916 123-45-67",
        "invite.acme.example",
        "P@ssw0rd2026",
    ],
)
def test_a_password_that_a_guesser_tries_early_is_refused(
    settings: LazySettings, password: str
) -> None:
    settings.ALLOWED_HOSTS = ["invite.acme.example"]
    with pytest.raises(ValidationError):
        validate_password(password, OLGA)


@pytest.mark.parametrize(
    "password",
    [
        "copper lantern 42 fjord",
        "xkq3-zpw9-mmvt",
        "Referral copper lantern fjord",
        "медный фонарь у реки",
        "z7Kq9vX2mLw4p",
        "k9sV-q2Lm" * 30 + "-fjord",  # longer than what is read of it
    ],
)
def test_other_passwords_are_taken(password: str) -> None:
    validate_password(password, OLGA)
    validate_password(password)


def test_each_rule_is_told_to_who_chooses() -> None:
    texts = password_validators_help_texts()
    assert all(texts)
    assert any("12 characters" in text for text in texts)


@pytest.mark.django_db
def test_a_password_from_before_these_rules_still_works(client: Client) -> None:
    User.objects.create_superuser("+79990000009", "referral1")
    body = {"username": "+79990000009", "password": "referral1"}
    assert client.post("/admin/login/", body).status_code == 302
