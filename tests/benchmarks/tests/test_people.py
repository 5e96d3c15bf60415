import re
from collections import Counter

from referrals.invite_codes import PATTERN
from tests.benchmarks import people
from users.phones import normalize_phone_number

USERS = 5000


def test_invite_codes_are_valid_and_differ() -> None:
    codes = [people.invite_code(person) for person in range(1, USERS)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(PATTERN, code) for code in codes)


def test_first_users_have_the_planned_number_of_referrals() -> None:
    invited = Counter(inviter for _, inviter in people.referrals(USERS))
    owners = people.owners(USERS)
    assert {owner: invited[owner] for owner in owners} == owners


def test_nobody_is_invited_twice_or_before_their_inviter() -> None:
    pairs = list(people.referrals(USERS))
    assert len({invitee for invitee, _ in pairs}) == len(pairs)
    assert all(1 <= inviter < invitee <= USERS for invitee, inviter in pairs)


def test_numbers_are_normalized() -> None:
    last = people.NEW_NUMBERS - 1
    numbers = [people.phone_number(1), people.STAFF_PHONE_NUMBER]
    numbers += [people.new_phone_number(number) for number in (0, last // 2, last)]
    assert [normalize_phone_number(number) for number in numbers] == numbers
