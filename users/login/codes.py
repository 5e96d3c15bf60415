"""One-time login codes: compared a bounded number of times, spent exactly once.

Nothing at rest shows a code: the cache holds a random nonce, and the code is an HMAC of
number and nonce under SECRET_KEY, so the same code can be sent again while it lives.
A code is for one purpose: for any other it neither exists nor has the same digits.

A code has two cache entries. The record, under the number, says which nonce is current.
The life, under the nonce, counts guesses, and is the one place where requests that
arrive together are put in order: a guess is reserved before anything is compared, which
fails on a code that is gone; `delete` succeeds for one caller, who has spent it.
"""

import hmac
import math
import secrets
import time
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from limits.counters import NO_LIMIT, Counter, end
from users.login import fixed_codes as test_numbers
from users.login.exceptions import CodeExpired, ResendTooSoon
from users.phones import pseudonym

SIGN_IN = ""
LIFE = "guesses_of_all"
# How long a number's next wait remembers its last sends.
RESEND_MEMORY_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class LoginCode:
    phone_number: str
    nonce: str
    length: int
    expires_at: float  # seconds since the epoch
    invite_code: str | None  # brought along by whoever asked for the code
    purpose: str = SIGN_IN
    is_fixed: bool = False  # of a test number, as long as that is one

    @property
    def digits(self) -> str:
        fixed = test_numbers.code_of(self.phone_number) if self.is_fixed else None
        if fixed:
            return fixed
        text = f"{self.phone_number} {self.nonce}{self.purpose}"
        mac = salted_hmac("users.codes", text, algorithm="sha256")
        # 256 bits modulo at most 10**8: no digit is likelier by more than 2**-229.
        number = int.from_bytes(mac.digest(), "big") % 10**self.length
        return f"{number:0{self.length}}"

    @property
    def seconds_left(self) -> int:
        return max(int(self.expires_at - time.time()), 0)

    @property
    def allowance(self) -> int:
        """Guesses it stands from everybody together: a risk of one in a thousand."""
        allowance: int = 10 ** (self.length - 3)
        return allowance

    @property
    def life_key(self) -> str:
        return f"login-code-left:{self.nonce}"


def issue(
    phone_number: str,
    *,
    length: int,
    invite_code: str | None = None,
    purpose: str = SIGN_IN,
) -> LoginCode:
    """The code that lives for this number, or else a new one of `length` digits.

    A living code keeps its expiry and its count of guesses; it makes way only when it
    is too short. A test number's has the length that it has.
    """
    fixed = test_numbers.code_of(phone_number) if purpose == SIGN_IN else None
    length = len(fixed) if fixed else length
    code = current(phone_number, purpose)
    is_of_its_kind = code is not None and code.is_fixed == bool(fixed)
    if code and is_of_its_kind and is_alive(code) and code.length >= length:
        # With the invite code it came with: a stranger's request must not change it.
        return code
    code = LoginCode(
        phone_number=phone_number,
        nonce=secrets.token_hex(16),
        length=length,
        expires_at=time.time() + settings.LOGIN_CODE_TTL_SECONDS,
        invite_code=invite_code,
        purpose=purpose,
        is_fixed=bool(fixed),
    )
    _save(code)
    return code


def living(phone_number: str, purpose: str = SIGN_IN) -> LoginCode:
    """The code that may be guessed at; raises CodeExpired when there is none.

    It may have been spent: the count of its guesses will tell.
    """
    code = current(phone_number, purpose)
    if code is None:
        raise CodeExpired
    return code


def life_counter(code: LoginCode) -> Counter:
    """A guess at the code, to be reserved before it is compared.

    It counts from the allowance below zero up to zero, so that a code that is gone, for
    it was spent, has none left.
    """
    return Counter(LIFE, code.life_key, 0, code.expires_at - time.time())


def is_right(code: LoginCode, digits: str) -> bool:
    return hmac.compare_digest(code.digits.encode(), digits.encode())


def spend(code: LoginCode) -> None:
    """End the code; of several callers at once, all but one get CodeExpired."""
    if not end(life_counter(code)):
        raise CodeExpired


def send_counter(phone_number: str, *, by_known_device: bool) -> Counter:
    """The one send that the number has at a time, for the shortest wait at first.

    What is counted is the moment of the next, in milliseconds since the epoch. Devices
    that the number knows wait only for each other.
    """
    key = _send_key(phone_number, by_known_device)
    step = int((time.time() + _shortest_wait()) * 1000)
    return Counter(ResendTooSoon.limit_name, key, 1, _held_seconds(), step=step)


def sends_counter(phone_number: str, *, by_known_device: bool) -> Counter:
    """Counts the number's last sends; the claimed one's wait grows with them."""
    key = f"{_send_key(phone_number, by_known_device)}:sends"
    return Counter("last_sends", key, NO_LIMIT, RESEND_MEMORY_SECONDS)


def wait_after(sends: int) -> int:
    """Seconds from the so many-th send to the next."""
    waits: list[int] = settings.LOGIN_CODE_RESEND_SECONDS
    return waits[min(sends, len(waits)) - 1]


def set_wait(phone_number: str, *, by_known_device: bool, until: float) -> None:
    """For the claimed send, now that it is sent; in seconds since the epoch."""
    key = _send_key(phone_number, by_known_device)
    cache.set(key, int(until * 1000), max(until - time.time(), 0))


def resend_in(phone_number: str, *, by_known_device: bool) -> int:
    """Whole seconds until another send may be claimed."""
    moment: int = cache.get(_send_key(phone_number, by_known_device), 0)
    return max(math.ceil(moment / 1000 - time.time()), 0)


def clear_waits(phone_number: str) -> None:
    """Let the number ask for its next code at once, with the shortest wait after it."""
    for known in (True, False):
        end(send_counter(phone_number, by_known_device=known))
        end(sends_counter(phone_number, by_known_device=known))


def current(phone_number: str, purpose: str = SIGN_IN) -> LoginCode | None:
    """The code last issued, unless its time is over; it may be spent or guessed out."""
    record = cache.get(_record_key(phone_number, purpose))
    if not record:
        return None
    code = LoginCode(phone_number=phone_number, purpose=purpose, **record)
    return code if code.expires_at > time.time() else None


def is_alive(code: LoginCode) -> bool:
    """Whether the code can still sign in."""
    guesses: int = cache.get(code.life_key, 0)
    return guesses < 0


def _save(code: LoginCode) -> None:
    record = asdict(code)
    del record["phone_number"], record["purpose"]  # the key stands for them, hashed
    cache.set_many(
        {
            code.life_key: -code.allowance,
            _record_key(code.phone_number, code.purpose): record,
        },
        settings.LOGIN_CODE_TTL_SECONDS,
    )


def _record_key(phone_number: str, purpose: str) -> str:
    return f"login-code:{pseudonym(phone_number + purpose)}"


def _send_key(phone_number: str, by_known_device: bool) -> str:
    whose = "own" if by_known_device else "any"
    return f"login-code-wait:{whose}:{pseudonym(phone_number)}"


def _shortest_wait() -> int:
    waits: list[int] = settings.LOGIN_CODE_RESEND_SECONDS
    return waits[0]


def _held_seconds() -> int:
    """Of a claim: longer than its SMS takes, so that no other goes out beside it."""
    return max(_shortest_wait(), settings.SMS_TIMEOUT_SECONDS + 5)


def is_long_enough(wait: int) -> bool:
    """Whether a claim ends after this wait, in seconds, by itself."""
    return wait == _shortest_wait() == _held_seconds()
