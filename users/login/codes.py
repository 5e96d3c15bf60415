"""Login codes: guessed at a limited number of times, spent once.

The cache never stores a code. It stores a random nonce, and the code is an HMAC of
number and nonce under SECRET_KEY, so that the same code can be sent again. A code is
made for one purpose; for another purpose it does not exist.

A code has two entries in the cache, both for LOGIN_CODE_TTL_SECONDS:

- `login-code:<number>:<purpose>`: the nonce and the facts of the code issued last.
- `login-code-life:<nonce>`: how many guesses everybody together has left. A guess is
  taken from it before the code is compared.

A code's life ends when it is spent (`spend` deletes the second entry), when no guesses
are left, when its time is over, or when `issue` replaces it by a longer one. Strangers
cannot use a code that is too short for the number by now (`guess_limits`).
"""

import hmac
import secrets
import time
from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from limits import commands
from users.login.exceptions import CodeExpired
from users.login.fixed_codes import fixed_digits
from users.phones import PhoneNumber

SIGN_IN = "sign-in"
# The name of the command that takes a guess from the code's life.
GUESSES_LEFT = "guesses_left"


def guess_allowance(length: int) -> int:
    """Guesses that everybody together has at a code: a chance of one in a thousand."""
    return int(10 ** (length - 3))


@dataclass(frozen=True, slots=True)
class LoginCode:
    digits: str = field(repr=False)
    nonce: str
    expires_at: float  # seconds since the epoch
    invite_code: str | None  # sent along with the request for the code
    is_fixed: bool  # the number is one of TEST_NUMBERS

    @property
    def length(self) -> int:
        return len(self.digits)

    @property
    def seconds_left(self) -> int:
        return max(int(self.expires_at - time.time()), 0)

    @property
    def guess(self) -> commands.Countdown:
        """Takes one guess; to be run before the code is compared."""
        return commands.Countdown(name=GUESSES_LEFT, key=self._life_key)

    def matches(self, digits: str) -> bool:
        return hmac.compare_digest(self.digits.encode(), digits.encode())

    def is_alive(self) -> bool:
        """Whether the code can still sign somebody in."""
        guesses_left: int = cache.get(self._life_key, 0)
        return guesses_left > 0

    def spend(self) -> None:
        """End the code's life. All but one of concurrent callers get CodeExpired."""
        if not commands.end(self._life_key):
            raise CodeExpired

    @property
    def _life_key(self) -> str:
        return f"login-code-life:{self.nonce}"


def issue(
    phone_number: PhoneNumber,
    *,
    length: int,
    fixed: str | None = None,
    invite_code: str | None = None,
    purpose: str = SIGN_IN,
) -> LoginCode:
    """The code that lives for this number, or a new one of `length` digits.

    A living code keeps its expiry, its guesses and the invite code it came with, which
    a stranger's request must not change. It is replaced only if it is too short.
    `fixed` are the digits of a number in TEST_NUMBERS.
    """
    living = find(phone_number, purpose)
    if (
        living
        and living.is_fixed == bool(fixed)
        and living.length >= len(fixed or "0" * length)
        and living.is_alive()
    ):
        return living
    nonce = secrets.token_hex(16)
    code = LoginCode(
        digits=fixed or random_digits(phone_number.pseudonym, nonce, length, purpose),
        nonce=nonce,
        expires_at=time.time() + settings.LOGIN_CODE_TTL_SECONDS,
        invite_code=invite_code,
        is_fixed=bool(fixed),
    )
    facts = asdict(code) | {"length": code.length}
    del facts["digits"]
    entries = {
        _key(phone_number.pseudonym, purpose): facts,
        code.guess.key: guess_allowance(code.length),
    }
    cache.set_many(entries, settings.LOGIN_CODE_TTL_SECONDS)
    return code


def find(phone_number: PhoneNumber, purpose: str = SIGN_IN) -> LoginCode | None:
    """The newest code, if it has not expired. It may be spent: see `is_alive`."""
    facts = cache.get(_key(phone_number.pseudonym, purpose))
    if not facts or facts["expires_at"] <= time.time():
        return None
    length = facts.pop("length")
    fixed = fixed_digits(phone_number) if facts["is_fixed"] else None
    digits = fixed or random_digits(
        phone_number.pseudonym, facts["nonce"], length, purpose
    )
    return LoginCode(digits=digits, **facts)


def get(phone_number: PhoneNumber, purpose: str = SIGN_IN) -> LoginCode:
    """As `find`, but raises CodeExpired instead of returning None."""
    code = find(phone_number, purpose)
    if code is None:
        raise CodeExpired
    return code


def random_digits(pseudonym: str, nonce: str, length: int, purpose: str) -> str:
    text = f"{pseudonym} {nonce} {purpose}"
    mac = salted_hmac("users.codes", text, algorithm="sha256")
    # 256 bits modulo at most 10**8: no code is likelier than another by over 2**-229.
    number = int.from_bytes(mac.digest(), "big") % 10**length
    return f"{number:0{length}}"


def _key(pseudonym: str, purpose: str) -> str:
    return f"login-code:{pseudonym}:{purpose}"
