"""Django's cache on a Redis Cluster."""

import threading
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django_redis import pool  # type: ignore[import-untyped]
from django_redis.client import DefaultClient  # type: ignore[import-untyped]
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import parse_url
from redis.retry import Retry


class ConnectionFactory(pool.ConnectionFactory):  # type: ignore[misc]  # untyped
    """One client for a process: it knows which server has which keys."""

    _clients: ClassVar[dict[str, RedisCluster]] = {}
    _lock = threading.Lock()

    def connect(self, url: str) -> Any:
        """Raises RedisClusterException if no server of the URL answers."""
        with self._lock:
            if url not in self._clients:
                self._clients[url] = self._new_client(url)
            return self._clients[url]

    def _new_client(self, url: str) -> RedisCluster:
        addresses, options = parse_cluster_url(url)
        return RedisCluster(
            startup_nodes=[ClusterNode(*address) for address in addresses],  # type: ignore[no-untyped-call]
            # Ask once more after a server was replaced. More would take too long.
            retry=Retry(NoBackoff(), retries=1),
            socket_connect_timeout=self.options["SOCKET_CONNECT_TIMEOUT"],
            socket_timeout=self.options["SOCKET_TIMEOUT"],
            **options,
        )


class ClusterClient(DefaultClient):  # type: ignore[misc]  # untyped
    """Reads several keys from several servers; all else works as on one Redis."""

    def get_many(
        self, keys: Any, version: int | None = None, client: Any = None
    ) -> dict[str, Any]:
        names = {self.make_key(key, version=version): key for key in keys}
        client = client or self.get_client(write=False)
        values = client.mget_nonatomic(list(names)) if names else []
        return {
            key: self.decode(value)
            for key, value in zip(names.values(), values, strict=True)
            if value is not None
        }


def parse_cluster_url(url: str) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    """Addresses and other options of `redis+cluster://user:password@host:port,…`.

    With `rediss+cluster` the connections use TLS. Raises ValueError.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.removesuffix("+cluster")
    login, at, hosts = parts.netloc.rpartition("@")
    addresses, options = [], {}
    for host in hosts.split(","):
        one = parts._replace(scheme=scheme, netloc=login + at + host)
        options = parse_url(one.geturl())  # type: ignore[no-untyped-call]
        if "host" not in options:
            raise ValueError("a host is missing")
        addresses.append((options.pop("host"), options.pop("port", 6379)))
    if options.pop("db", 0):
        raise ValueError("a Redis Cluster has no databases but 0")
    # Says that a connection uses TLS; the cluster's client has an option for it.
    if options.pop("connection_class", None):
        options["ssl"] = True
    return addresses, options
