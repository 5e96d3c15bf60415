from redis.connection import BlockingConnectionPool
from redis.sentinel import SentinelConnectionPool


class BlockingSentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Its own base fails when all connections are in use; this waits for one."""
