"""Which keys are stored together.

A Redis Cluster spreads its keys over several servers, and a script may only use keys of
one of them. Redis decides by the part of a key in braces, the hash tag. Keys with the
same tag are together, so one script can check and change all of them.

The tag is four digits of a keyed hash, which reveal nothing about the subject. One
Redis needs no tags, because it has all keys: `config.server.redis_keys` removes them.
"""

import hmac
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_network

from django.conf import settings

from limits.addresses import network_of

# What is counted for the whole service.
SERVICE = "all"


def beside(subject: str, key: str) -> str:
    """The key, to be stored together with all other keys of this subject.

    The first word of the subject decides: keys of "<number> <address>" are stored with
    those of the number. Keys of an address are stored with those of its network.
    """
    secret = settings.PSEUDONYM_SECRET or settings.SECRET_KEY
    return f"{{{_tag(subject.partition(' ')[0], secret)}}}{key}"


def tag_of(key: str) -> str:
    """The group that a key is stored in: its tag, or the key itself without one.

    Except in a cluster, all keys are in one group.
    """
    if not settings.REDIS_IS_CLUSTER:
        return ""
    return key[1 : key.index("}")] if key.startswith("{") else key


@lru_cache(maxsize=1024)
def _tag(word: str, secret: str) -> str:
    if word == SERVICE:
        return word  # another secret must not hide that sending was stopped
    with suppress(ValueError):
        ip_network(word)
        word = network_of(word)
    return hmac.digest(secret.encode(), f"slot {word}".encode(), "sha256").hex()[:4]
