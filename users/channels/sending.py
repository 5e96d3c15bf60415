"""Sending a code by the backend that SMS_BACKEND names, or by those of SMS_CHAIN.

Those that can carry the message have their turns in order, first those of the channel
that the person picked. The next has its turn only when the one before has surely not
sent the message.

A provider that does not answer in time may have accepted the message all the same, so
it is not sent again at once. When the person asks for a code again, the backend finds
out what became of it: it reads the provider's list of messages, or repeats the request
with the same idempotency key. A new message is sent only if the first was not found and
`Attempt.seconds_to_repeat` is over.
"""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from config.monitoring.metrics import count_message, timed_sms
from config.server.redis_pool import REDIS_FAILS
from users.channels import Attempt, Backend, Channel, CodeMessage, breaker, deliveries
from users.channels.chain import ChainBackend
from users.channels.countries import country_label
from users.channels.exceptions import (
    CODE_UNAVAILABLE,
    ChannelNotOffered,
    CountryNotServed,
    MessageRefused,
    NumberCannotReceiveSms,
    SmsUnavailable,
    SmsUnsure,
)
from users.phones import PhoneNumber, country_of, type_of


@dataclass(frozen=True, slots=True)
class Turn:
    """A configured backend."""

    path: str  # dotted
    backend: type[Backend]

    @property
    def channel(self) -> Channel:
        return self.backend.channel


@dataclass(frozen=True, slots=True)
class Sent:
    """How a message went."""

    channel: Channel
    delivery_id: str | None  # None: its provider does not tell whether it arrived
    tried: Sequence[Channel]  # this one and those that failed before it


def turns() -> list[Turn]:
    """All configured backends, in order. Raises ImportError if a path names nothing."""
    backend = import_string(settings.SMS_BACKEND)
    paths = settings.SMS_CHAIN if backend is ChainBackend else [settings.SMS_BACKEND]
    return [Turn(path, import_string(path)) for path in paths]


def is_simulated() -> bool:
    """Whether no message leaves the machine; only then may a code be shown."""
    return all(turn.backend.simulated for turn in turns())


def channels() -> list[Channel]:
    """The configured channels, in the order of the backends."""
    return _distinct(turns())


def channels_for(message: CodeMessage) -> list[Channel]:
    """The configured channels that can carry this message."""
    return _distinct(turn for turn in turns() if turn.backend().can_send(message))


def check_destination(phone_number: PhoneNumber) -> None:
    """Raises CountryNotServed if SMS_COUNTRIES does not list the number's country.

    Raises NumberCannotReceiveSms if the number is of a kind that SMS_NUMBER_TYPES does
    not list, such as a landline or a premium-rate number.
    """
    served = settings.SMS_COUNTRIES
    if served and country_of(phone_number) not in served:
        raise CountryNotServed
    if type_of(phone_number) not in settings.SMS_NUMBER_TYPES:
        raise NumberCannotReceiveSms


def check_channel(channel: Channel | None) -> None:
    """Raises ChannelNotOffered if no configured backend has this channel."""
    if channel and channel not in (offered := channels()):
        raise ChannelNotOffered(offered=offered)


def send_message(message: CodeMessage, *, picked: Channel | None = None) -> Sent:
    """Raises SmsUnavailable, and SmsUnsure when it may have been sent."""
    tried = cache.get(_mark(message)) if _can_be_unsure() else None
    if tried:
        tried = Attempt(**tried)
        message = replace(message, key=tried.key, tried=tried)
    try:
        with timed_sms():
            sent = _send_in_turns(message, picked)
    except SmsUnsure as unsure:
        if unsure.is_new or tried is None:
            own = _for_backend(message, unsure.by)
            tried = Attempt(own.key, own.made_at, time.time(), unsure.by, own.language)
            lifetime = max(math.ceil(message.expires_at - time.time()), 1)
            try:
                cache.set(_mark(message), asdict(tried), lifetime)
            except REDIS_FAILS:
                unsure.is_noted = False
        unsure.wait = max(tried.seconds_to_repeat, SmsUnavailable.wait)
        unsure.channels = channels_for(message)
        raise
    except SmsUnavailable:
        # This failure says nothing about the attempt before it.
        if tried and (seconds := tried.seconds_to_repeat):
            raise _still_unsure(tried, seconds, channels_for(message)) from None
        raise
    if tried:
        with suppress(*REDIS_FAILS):  # the message is on its way: do not fail now
            cache.delete(_mark(message))
    return sent


def _send_in_turns(message: CodeMessage, picked: Channel | None) -> Sent:
    able = [turn for turn in turns() if turn.backend().can_send(message)]
    tried, is_billed, is_refused = [], False, False
    for turn in _in_order(able, message.tried, picked):
        tried.append(turn.channel)
        try:
            provider_id = turn.backend().send(_for_backend(message, turn.path))
        except SmsUnsure as unsure:
            unsure.by = turn.path
            unsure.say_how(turn.channel)
            _count(turn, message, "unsure")
            if unsure.is_new:
                _failed(turn, able)
            raise
        except MessageRefused:
            is_refused = True
            _count(turn, message, "refused")
        except SmsUnavailable as failure:
            is_billed = is_billed or failure.is_billed
            _count(turn, message, "failed")
            _failed(turn, able)
        else:
            _count(turn, message, "accepted")
            if len(able) > 1:
                breaker.succeeded(turn.path)
            delivery_id = _delivery_id(turn, message, provider_id)
            return Sent(turn.channel, delivery_id, tried)
    raise _unavailable(is_billed=is_billed, is_refused=is_refused)


def _for_backend(message: CodeMessage, path: str) -> CodeMessage:
    """Only the backend that may have sent it can find that out, or repeat it."""
    tried = message.tried
    is_its_own = tried is not None and tried.by == path
    return message.again() if is_its_own else replace(message, tried=None)


def _delivery_id(
    turn: Turn, message: CodeMessage, provider_id: str | None
) -> str | None:
    if provider_id is None:
        return None
    return deliveries.record(
        message, channel=turn.channel, by=turn.path, provider_id=provider_id
    )


def _failed(turn: Turn, able: list[Turn]) -> None:
    if len(able) > 1:
        breaker.failed(turn.path)


def _still_unsure(tried: Attempt, wait: int, offered: list[Channel]) -> SmsUnsure:
    refusal = SmsUnsure(by=tried.by, wait=wait, is_new=False)
    refusal.channels = offered
    for turn in turns():
        if turn.path == tried.by:
            refusal.say_how(turn.channel)
    return refusal


def _unavailable(*, is_billed: bool, is_refused: bool) -> SmsUnavailable:
    refusal = SmsUnavailable()
    refusal.is_billed, refusal.is_refused = is_billed, is_refused
    if channels() != [Channel.SMS]:
        refusal.text = CODE_UNAVAILABLE
    return refusal


def _in_order(
    able: list[Turn], tried: Attempt | None, picked: Channel | None
) -> list[Turn]:
    order = able
    if picked:
        order = sorted(able, key=lambda turn: turn.channel != picked)
    if tried:
        # First the backend that may have sent it: only that one can find out.
        first = [turn for turn in able if turn.path == tried.by]
        if tried.seconds_to_repeat:
            return first
        # A second message is due. If another channel was picked, that one is first.
        if picked is None or any(turn.channel == picked for turn in first):
            order = [*first, *(turn for turn in order if turn not in first)]
    skipped = breaker.skipped(turn.path for turn in order) if len(order) > 1 else set()
    return [turn for turn in order if turn.path not in skipped] or order


def _can_be_unsure() -> bool:
    return any(turn.backend.can_be_unsure for turn in turns())


def _mark(message: CodeMessage) -> str:
    """The cache key of the last attempt at a message that may have been sent."""
    text = f"{message.phone_number} {message.code} {message.purpose}"
    mac = salted_hmac("users.channels", text, algorithm="sha256")
    return f"sms-tried:{mac.hexdigest()}"


def _distinct(found: Iterable[Turn]) -> list[Channel]:
    return list(dict.fromkeys(turn.channel for turn in found))


def _count(turn: Turn, message: CodeMessage, outcome: str) -> None:
    count_message(
        provider=turn.path.rpartition(".")[2],
        channel=turn.channel,
        country=country_label(message.phone_number),
        outcome=outcome,
    )
