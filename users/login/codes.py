"""Login codes: guessed at a limited number of times, spent once.

The cache never stores a code. It stores a random nonce, and the code is an HMAC of
number and nonce under SECRET_KEY, so that the same code can be sent again. A code is
valid for one `scope` only: to sign in, or for one user's change to one number.

A code has these entries in the cache, for as long as it lives:

- `login-code:<pseudonym>:<scope>`: the nonce and the facts of the code issued last.
- `login-code-life:<nonce>`: how many wrong guesses everybody together has left.
- `login-code-channel:<nonce>`: how it was sent, where there are several channels.
- `login-code-replaced:<nonce>`: the nonce, length and expiry of the code that it
  replaced, if that one was alive.

A code's life ends when it is spent (`spend` deletes the second entry), when no guesses
are left, when its time is over, or when `issue` replaces it. Strangers cannot use a
code that is too short for the number by now (`code_length`).
"""

import hmac
import secrets
import time
from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from limits import commands
from limits.command_types import Countdown
from limits.slots import beside
from users.login.exceptions import CodeExpired
from users.login.fixed_codes import fixed_digits
from users.phones import PhoneNumber

SIGN_IN = "sign-in"
# A living code with less time left is not sent again: nobody could type it in time.
SECONDS_TO_TYPE = 90


def guess_allowance(length: int) -> int:
    """Wrong guesses that everybody together has at a code.

    A chance of one in a thousand. The longest codes have no such end: otherwise
    strangers could end the owner's code.
    """
    if length >= settings.LOGIN_CODE_MAX_LENGTH:
        return 10**9
    return int(10 ** (length - 3))


@dataclass(frozen=True, slots=True)
class LoginCode:
    digits: str = field(repr=False)
    pseudonym: str  # of the phone number
    nonce: str
    expires_at: float  # seconds since the epoch
    is_fixed: bool  # the number is one of TEST_NUMBERS
    # Codes that replace a living code share it, so a client's guesses go on counting.
    series: str = ""
    # Valid until the number can be sent another message: see `send_limits`.
    is_last: bool = False

    @property
    def length(self) -> int:
        return len(self.digits)

    @property
    def seconds_left(self) -> int:
        return max(int(self.expires_at - time.time()), 0)

    def guesses_left(self, *, taken: int) -> Countdown:
        """A command that takes guesses of everybody's; with 0 it only checks."""
        return Countdown(name="guesses_left", key=self._life_key, amount=taken)

    def matches(self, digits: str) -> bool:
        return hmac.compare_digest(self.digits.encode(), digits.encode())

    def are_of_replaced_code(self, digits: str) -> bool:
        """Whether these were the digits of the code that this one replaced.

        False after the old code's expiry. The old digits never sign anybody in.
        """
        old = cache.get(self._replaced_key)
        if not old or old["expires_at"] <= time.time():
            return False
        old_digits = random_digits(
            self.pseudonym, old["nonce"], old["length"], old["scope"]
        )
        return hmac.compare_digest(old_digits.encode(), digits.encode())

    def is_alive(self) -> bool:
        """Whether the code can still sign somebody in."""
        return self.count_guesses_left() > 0

    def count_guesses_left(self) -> int:
        left: int = cache.get(self._life_key, 0)
        return left

    def spend(self) -> None:
        """End the code's life. All but one of concurrent callers get CodeExpired."""
        if not commands.end(self._life_key):
            raise CodeExpired

    def record_channel(self, channel: str) -> None:
        """How it was sent, for those who ask later."""
        cache.set(self._channel_key, channel, self.seconds_left)

    def sent_by(self) -> str | None:
        channel: str | None = cache.get(self._channel_key)
        return channel

    @property
    def _channel_key(self) -> str:
        return f"login-code-channel:{self.nonce}"

    @property
    def _replaced_key(self) -> str:
        return f"login-code-replaced:{self.nonce}"

    @property
    def _life_key(self) -> str:
        return beside(self.pseudonym, f"login-code-life:{self.nonce}")


def issue(
    phone_number: PhoneNumber,
    *,
    length: int,
    fixed: str | None = None,
    scope: str = SIGN_IN,
    last_for: int | None = None,
) -> LoginCode:
    """The code that lives for this number, or a new one of `length` digits.

    A living code keeps its expiry and its guesses, which a stranger's request must not
    change. It is replaced if it is too short, or if it ends too soon to be typed. That
    does not renew the guesses: the new code has what the old one had left. `fixed` are
    the digits of a number in TEST_NUMBERS. `last_for`: the code is the last that can be
    sent for so many seconds, and lives as long.

    A known device and a stranger who ask in the same milliseconds may each get a new
    code; the later one is valid.
    """
    living = find(phone_number, scope)
    left = living.count_guesses_left() if living else 0
    needed = min(SECONDS_TO_TYPE, settings.LOGIN_CODE_TTL_SECONDS // 2)
    if (
        living
        and left > 0
        and living.is_fixed == bool(fixed)
        and living.length >= len(fixed or "0" * length)
        and living.seconds_left >= needed
        and (living.is_last or not last_for)
    ):
        return living
    nonce = secrets.token_hex(16)
    lifetime = last_for or settings.LOGIN_CODE_TTL_SECONDS
    code = LoginCode(
        digits=fixed or random_digits(phone_number.pseudonym, nonce, length, scope),
        pseudonym=phone_number.pseudonym,
        nonce=nonce,
        expires_at=time.time() + lifetime,
        is_fixed=bool(fixed),
        series=living.series if living and left > 0 else nonce,
        is_last=bool(last_for),
    )
    guesses = guess_allowance(code.length)
    if living and left > 0 and living.length == code.length:
        guesses = min(guesses, left)
    facts = asdict(code) | {"length": code.length}
    del facts["digits"], facts["pseudonym"]
    entries = {
        _key(phone_number.pseudonym, scope): facts,
        code._life_key: guesses,
    }
    if living and left > 0 and not living.is_fixed:
        entries[code._replaced_key] = {
            "nonce": living.nonce,
            "length": living.length,
            "scope": scope,
            "expires_at": living.expires_at,
        }
    cache.set_many(entries, lifetime)
    return code


def find(phone_number: PhoneNumber, scope: str = SIGN_IN) -> LoginCode | None:
    """The newest code, if it has not expired. It may be spent: see `is_alive`."""
    facts = cache.get(_key(phone_number.pseudonym, scope))
    if not facts or facts["expires_at"] <= time.time():
        return None
    length = facts.pop("length")
    facts.pop("invite_code", None)  # stored by the version before this one
    fixed = fixed_digits(phone_number) if facts["is_fixed"] else None
    digits = fixed or random_digits(
        phone_number.pseudonym, facts["nonce"], length, scope
    )
    return LoginCode(digits=digits, pseudonym=phone_number.pseudonym, **facts)


def get(phone_number: PhoneNumber, scope: str = SIGN_IN) -> LoginCode:
    """As `find`, but raises CodeExpired instead of returning None."""
    code = find(phone_number, scope)
    if code is None:
        raise CodeExpired
    return code


def random_digits(pseudonym: str, nonce: str, length: int, scope: str) -> str:
    text = f"{pseudonym} {nonce} {scope}"
    mac = salted_hmac("users.codes", text, algorithm="sha256")
    # 256 bits modulo at most 10**8: no code is likelier than another by over 2**-229.
    number = int.from_bytes(mac.digest(), "big") % 10**length
    return f"{number:0{length}}"


def _key(pseudonym: str, scope: str) -> str:
    return f"login-code:{pseudonym}:{scope}"
