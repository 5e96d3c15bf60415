"""T25, T26, T34: attackers of many networks, against one number and against all.

On a live server, where periods are shorter, and over a simulated year, where the limits
are called in this process.
"""

import time
from collections import Counter
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from redis import Redis
from tqdm import tqdm

from config.env import Limit
from config.refusals import Refusal
from conftest import NOW
from limits.commands import run
from tests.attacks.attacker import Answer, Target
from tests.attacks.conftest import Lab, Report
from tests.lab.shared import at_once, new_phone_number, wrong
from users.login import codes
from users.login import takeover_risk as risk
from users.login.clients import Client
from users.login.code_length import length_of_next_code, wrong_guesses
from users.login.exceptions import CodeIncorrect
from users.login.guess_limits import make_guess
from users.phones import PhoneNumber

DAY = 86_400
TTL = 30
LOOKS = 48
ATTACK_SECONDS = 40
SHORT = {
    "SMS_BACKEND": "tests.attacks.providers.Phones",
    "LOGIN_CODE_TTL_SECONDS": str(TTL),
    "LOGIN_CODE_RESEND_SECONDS": "1,2,3",
    "LOGIN_CODE_GROWTH_PER_CLIENT": "",
    "LIMIT_SENDS_PER_PHONE_HOUR": "8/20",
    "LIMIT_SENDS_PER_PHONE_DAY": f"15/{ATTACK_SECONDS}",
    "LIMIT_SENDS_BY_STRANGERS": "1000000/3600",
    "LIMIT_SENDS_PER_ADDRESS": "",
    "LIMIT_SENDS_PER_NETWORK": "",
    "LIMIT_PHONES_PER_ADDRESS": "",
}


def network(n: int) -> str:
    """An address in a network of its own, outside 192.168.0.0/16."""
    return f"10.{n // 250}.{n % 250}.1"


class Owner:
    def __init__(self, redis: Redis, target: Target, number: int) -> None:
        self.phone_number = new_phone_number()
        self.address = f"192.168.{number}.1"
        self._redis, self._target = redis, target
        self.messages = 0

    def texts(self) -> list[str]:
        found: Any = self._redis.lrange(f"phone:{self.phone_number}", 0, -1)
        return [text.decode() for text in found]

    def seconds_to_get_in(self) -> float:
        """Asks, reads the phone, and enters what the newest message says."""
        start = time.monotonic()
        while time.monotonic() - start < 3 * TTL:
            asked = self._target.send_code(self.phone_number, address=self.address)
            if texts := self.texts():
                digits = texts[-1].split()[0].strip(":")
                entered = self._target.verify(
                    self.phone_number, digits, address=self.address
                )
                if entered.status == 200:
                    return time.monotonic() - start
            time.sleep(min(int(asked.headers.get("Retry-After", 1)), 3))
        raise AssertionError(f"{self.phone_number[-4:]} is kept out")


def attack(target: Target, phones: list[str], addresses: list[str], end: Event) -> None:
    while not end.is_set():
        for address in addresses:
            for phone in phones:
                sent = target.send_code(phone, address=address)
                code = sent.json.get("dev_code", "00000000")
                for _ in range(2):
                    target.verify(phone, wrong(code), address=address)
                if end.is_set():
                    return


@pytest.mark.parametrize("networks", [1, 10, 100])
def test_t25_owner_gets_in_from_a_new_device(
    lab: Lab, report: Report, networks: int
) -> None:
    redis_url = lab.services["REDIS_URL"].replace("/0", "/1")
    target = lab.server_with(REDIS_URL=redis_url, **SHORT)
    redis = Redis.from_url(redis_url)
    owners = [Owner(redis, target, n) for n in range(LOOKS)]
    phones = [owner.phone_number for owner in owners]
    end = Event()
    attackers = [
        Thread(
            target=attack,
            args=(target, phones, [network(n) for n in range(i, networks, 8)], end),
        )
        for i in range(min(networks, 8))
    ]
    for thread in attackers:
        thread.start()
    waits, start = [], time.monotonic()
    try:
        for n, owner in enumerate(owners):
            time.sleep(max(start + n * ATTACK_SECONDS / LOOKS - time.monotonic(), 0))
            waits.append(owner.seconds_to_get_in())
        messages = max(len(owner.texts()) for owner in owners)
    finally:
        end.set()
        for thread in attackers:
            thread.join()
    days = (time.monotonic() - start) / ATTACK_SECONDS
    report(
        "T25",
        f"{networks} networks ask and guess, {LOOKS} looks of an owner",
        f"in after {max(waits):.1f} s at most; {messages} SMS in {days:.1f} days",
    )
    assert max(waits) <= TTL
    assert messages <= 20 * days + 1


def test_t26_known_devices_and_challenges(lab: Lab, report: Report) -> None:
    redis_url = lab.services["REDIS_URL"].replace("/0", "/2")
    target = lab.server_with(
        REDIS_URL=redis_url,
        SMS_BACKEND="tests.attacks.providers.Silent",
        SMS_COUNTRIES="",
        LIMIT_SENDS="2000/3600",
        LIMIT_SENDS_BY_STRANGERS="1600/3600",
    )
    owner = new_phone_number()
    token = target.sign_in(owner, address=network(999))["device_token"]
    phones = [new_phone_number() for _ in range(11 * 200)]
    answers = at_once(
        len(phones), lambda i: target.send_code(phones[i], address=network(i // 200))
    )
    seen = Counter(answer.name for answer in answers)
    time.sleep(6)  # the wait between two codes of one number
    known = target.send_code(owner, address=network(0), body={"device_token": token})
    dear = ["+78091234567", "+78001234567", "+74951234567", "+19002345678"]
    refused = [target.send_code(phone, address=network(998)).name for phone in dear]
    report(
        "T26",
        "11 networks × 200 numbers",
        f"{seen['200']} SMS, {seen['challenge_required']} challenged; known device "
        f"{known.name}",
    )
    report("T26", "premium, toll-free and landline numbers", ", ".join(set(refused)))
    assert set(refused) == {"number_cannot_receive_sms"}
    assert known.status == 200
    assert set(seen) == {"200", "challenge_required"}
    assert seen["200"] <= 1600 / 2


def test_t26_strangers_leave_sends_to_known_devices(lab: Lab, report: Report) -> None:
    target = lab.server_with(
        REDIS_URL=lab.services["REDIS_URL"].replace("/0", "/3"),
        LIMIT_SENDS="100/3600",
        LIMIT_SENDS_BY_STRANGERS="80/3600",
        CHALLENGE_BACKEND="",
    )
    owner = new_phone_number()
    token = target.sign_in(owner, address=network(0))["device_token"]
    answers = at_once(
        200, lambda i: target.send_code(new_phone_number(), address=network(i))
    )
    sent = sum(answer.status == 200 for answer in answers)
    time.sleep(6)
    known = target.send_code(owner, address=network(0), body={"device_token": token})
    report(
        "T26",
        "200 networks use up the sends of strangers",
        f"{sent} sent (limit 80 of 100), then a known device: {known.name}",
    )
    assert sent == 79  # one was the owner's
    assert known.status == 200


def test_t34_spraying_makes_codes_longer(lab: Lab, report: Report) -> None:
    target = lab.server_with(
        REDIS_URL=lab.services["REDIS_URL"].replace("/0", "/4"),
        LOGIN_CODE_GROWTH_OVERALL="10:6,200:8",
        LOGIN_CODE_TTL_SECONDS="300",
        CHALLENGE_BACKEND="",
    )

    def spray(i: int) -> tuple[int, Answer]:
        phone, address = new_phone_number(), network(i)
        code = target.code_of(phone, address=address)
        return len(code), target.verify(phone, wrong(code), address=address)

    compared = Counter(
        length
        for length, answer in at_once(600, spray)
        if answer.name == "code_incorrect"
    )
    report(
        "T34",
        "600 networks guess at 600 numbers",
        f"compared by digits: {dict(sorted(compared.items()))}",
    )
    assert compared[4] <= 10
    assert compared[4] + compared[6] <= 200
    assert compared.total() > 300


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def guesses(number: PhoneNumber, client: Client) -> Counter[int]:
    """All that one client may compare at one number now, by digits."""
    compared = Counter[int]()
    while True:
        reads = [c for c in wrong_guesses(number.pseudonym, client) if c]
        counts = dict(zip([c.name for c in reads], run(reads), strict=True))
        code = codes.issue(number, length=length_of_next_code(counts))
        try:
            make_guess(code, wrong(code.digits), phone_number=number, client=client)
        except CodeIncorrect:
            compared[code.length] += 1
        except Refusal:
            return compared


def chance(compared: Counter[int]) -> float:
    return sum(number / float(10**digits) for digits, number in compared.items())


@pytest.mark.parametrize("networks", [1, 10, 100])
def test_t25_a_year_of_guesses_at_one_number(
    clock: Any, report: Report, networks: int
) -> None:
    """Three days of guesses, whenever those before no longer count."""
    number, compared, day = PhoneNumber(new_phone_number()), Counter[int](), 0.0
    while day < 365:
        for _ in range(3):
            for n in range(networks):
                compared += guesses(number, Client(network(n)))
            clock.shift(DAY)
        clock.shift(31 * DAY * 13 / 12)
        day += 3 + 31 * 13 / 12
    _report_year(report, compared, networks)


def test_t25_a_month_of_guesses_by_10_000_networks(clock: Any, report: Report) -> None:
    """Twelve such months are a year at worst."""
    number, compared = PhoneNumber(new_phone_number()), Counter[int]()
    networks = risk.NETWORKS
    for _ in range(12):  # until the limit of the month is used up
        for n in range(500):
            compared += guesses(number, Client(network(n)))
        clock.shift(DAY)
    for n in tqdm(range(500, networks), desc=f"{networks} networks"):
        compared += guesses(number, Client(network(n)))
    year = Counter({digits: n * 12 for digits, n in compared.items()})
    _report_year(report, year, networks)


def _report_year(report: Report, compared: Counter[int], networks: int) -> None:
    expected = risk.takeover_chance(networks)
    report(
        "T25",
        f"a year of guesses at one number, {networks:,} networks",
        f"{dict(sorted(compared.items()))}: {chance(compared):.2%} of {expected:.2%}",
    )
    assert chance(compared) <= expected
    if networks > 1:  # one network alone cannot use up a number's short codes
        assert chance(compared) >= 0.65 * expected


@pytest.mark.parametrize("networks", [1, 10, 100, 2_000])
def test_t34_a_day_of_guesses_at_all_numbers(
    clock: Any, report: Report, networks: int, settings: LazySettings
) -> None:
    """With a limit that a test can reach; a year has 365 such days at worst."""
    limit = 2_000
    settings.LIMITS = {**settings.LIMITS, "guesses": Limit(limit, DAY)}
    compared = Counter[int]()
    for again in range(limit):
        before = compared.total()
        for n in range(networks):
            phone = PhoneNumber(f"+7999{again:03}{n:04}")
            compared += guesses(phone, Client(network(n)))
        if compared.total() == before:
            break
    accounts = chance(compared) * 365
    expected = risk.accounts_of_service(networks)
    report(
        "T34",
        f"a day of guesses at all numbers, {networks:,} networks",
        f"{dict(sorted(compared.items()))}: {accounts:.2f} accounts a year, bound "
        f"{expected:.2f}",
    )
    assert accounts <= expected
    assert compared[4] <= 10
