import pytest
from django.test import override_settings

from limits.slots import SERVICE, beside, tag_of


@pytest.mark.usefixtures("redis_cluster")
@pytest.mark.parametrize(
    ("one", "other", "are_together"),
    [
        ("number", "number 192.0.2.1", True),
        ("192.0.2.1", "192.0.2.0/24", True),
        ("2001:db8:0:1::/64", "2001:db8::/48", True),
        ("192.0.2.1", "198.51.100.1", False),
        ("number", "192.0.2.1", False),
        (SERVICE, f"{SERVICE} RU", True),
    ],
)
def test_what_is_stored_together(one: str, other: str, are_together: bool) -> None:
    tags = {tag_of(beside(subject, "key")) for subject in (one, other)}
    assert (len(tags) == 1) is are_together


@pytest.mark.usefixtures("redis_cluster")
def test_a_tag_does_not_show_its_subject() -> None:
    key = beside("192.0.2.1", "key")
    with override_settings(PSEUDONYM_SECRET="x" * 50):
        assert beside("192.0.2.1", "key") != key
        assert beside(SERVICE, "key") == "{all}key"  # the switch stays found
    assert len(tag_of(key)) == 4


@pytest.mark.usefixtures("redis_cluster")
def test_a_key_without_a_tag_is_alone() -> None:
    assert tag_of("key") == "key"


def test_one_redis_stores_all_keys_together() -> None:
    assert tag_of(beside("192.0.2.1", "key")) == tag_of(beside("number", "key"))
