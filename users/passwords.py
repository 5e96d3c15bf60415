"""Passwords, which only staff have. Everybody else signs in with a code."""

import re
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from config.monitoring import audit

PROJECT_WORDS = {"referral", "admin", "support", "staff", "password", "invite"}
LEAST_SCORE = 3  # of 4: more than 10**8 guesses
MOST_READ = 72  # characters; zxcvbn refuses longer texts
SHORTEST_WORD = 4


class GuessablePasswordValidator:
    """Refuses passwords that a guesser tries early: common, breached, words, patterns.

    zxcvbn counts the guesses from its lists (30,000 breached passwords, words, names)
    and from sequences, repeats, dates and rows of keys. Words of this project and of
    the person add nothing.
    """

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        # Takes 10 MB, and only a process that sets a password needs it.
        from zxcvbn import zxcvbn  # noqa: PLC0415

        rest = _without(_words(user), password[:MOST_READ])
        if not rest or zxcvbn(rest)["score"] < LEAST_SCORE:
            raise ValidationError(
                _("This password is too easy to guess."), code="password_guessable"
            )

    def get_help_text(self) -> str:
        return _(
            "A common password, a single word, a name, a date, your phone number or "
            "the name of this site is too easy to guess, and so are simple "
            "combinations of these. Four random words are good."
        )

    def password_changed(
        self, password: str, user: AbstractBaseUser | None = None
    ) -> None:
        """Django calls this wherever a password is saved: on pages and in commands."""
        if user is not None:
            record = partial(audit.record, "password.set", user=user.pk)
            transaction.on_commit(record)


def _words(user: AbstractBaseUser | None) -> set[str]:
    of_person: list[Any] = []
    if user is not None:
        names = ("first_name", "last_name", "email")
        of_person = [getattr(user, name, "") for name in names]
        number = user.get_username()
        # Every part of the number, as people shorten it.
        of_person += [number[i:] for i in range(len(number) - SHORTEST_WORD + 1)]
        of_person += [number[:i] for i in range(SHORTEST_WORD, len(number))]
    texts = " ".join([*settings.ALLOWED_HOSTS, *map(str, of_person)])
    words = {word.lower() for word in re.split(r"[^\w]+", texts)}
    return {word for word in PROJECT_WORDS | words if len(word) >= SHORTEST_WORD}


def _without(words: set[str], password: str) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    # Between the digits of a number may stand spaces and dashes.
    either = "|".join(
        r"[\W_]*".join(word) if word.isdecimal() else re.escape(word)
        for word in longest_first
    )
    return re.sub(either, "", password, flags=re.IGNORECASE)
