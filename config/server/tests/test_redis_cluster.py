import pytest

from config.server.redis_cluster import parse_cluster_url
from config.server.redis_keys import without_tag


def test_the_url_of_a_cluster_names_several_servers() -> None:
    url = "rediss+cluster://user:p%40ss@one:7000,two,[2001:db8::1]:7001/0"
    addresses, options = parse_cluster_url(url)
    assert addresses == [("one", 7000), ("two", 6379), ("2001:db8::1", 7001)]
    assert options == {"username": "user", "password": "p@ss", "ssl": True}


def test_a_url_may_have_no_password() -> None:
    assert parse_cluster_url("redis+cluster://one:7000") == ([("one", 7000)], {})


@pytest.mark.parametrize("rest", ["one:x", "one:7000,two:7000/1", "", "one:7000,"])
def test_a_wrong_url_is_refused(rest: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_cluster_url(f"redis+cluster://{rest}")


def test_one_redis_stores_keys_without_tags() -> None:
    assert without_tag("{a1b2}limit:c3", "referral", 1) == "referral:1:limit:c3"
    assert without_tag("limit:c3", "referral", 1) == "referral:1:limit:c3"
