from redis.connection import BlockingConnectionPool
from redis.exceptions import RedisClusterException, RedisError
from redis.sentinel import SentinelConnectionPool

# What an outage of Redis raises; the second is no subclass of the first.
REDIS_FAILS = RedisError, RedisClusterException


class BlockingSentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Its own base fails when all connections are in use; this waits for one."""
