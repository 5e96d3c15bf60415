"""Long reads that may be some seconds old go to a standby of PostgreSQL, if one is set.

These are staff's lists, exports, figures and the feed of the ledger. People's own reads
stay on the primary: a token must work at once, and stop at once.
"""

import logging
import time
from datetime import timedelta

from django.db import DatabaseError, connections

logger = logging.getLogger(__name__)

PRIMARY, REPLICA = "default", "replica"
# A standby that lacks changes is not read if its last change is older than this.
MOST_LAG = timedelta(seconds=5)
# After a failure the standby is left alone for this time, because connecting to a
# machine that is gone takes two seconds.
AWAY_SECONDS = 10
_away_until = 0.0


def alias_for_long_reads() -> str:
    """The alias of the database to read from, for `QuerySet.using`."""
    global _away_until
    if REPLICA not in connections.settings or time.monotonic() < _away_until:
        return PRIMARY
    try:
        return REPLICA if _is_recent() else PRIMARY
    except DatabaseError as error:
        logger.warning("replica is not read: %s", type(error).__name__)
        _away_until = time.monotonic() + AWAY_SECONDS
        return PRIMARY


def _is_recent() -> bool:
    """Whether the standby has all that the primary has, or had it MOST_LAG ago.

    Both times are the primary's, so the clocks of the two need not agree.
    """
    with connections[PRIMARY].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text, clock_timestamp()")
        position, now = cursor.fetchone()
    with connections[REPLICA].cursor() as cursor:
        cursor.execute(
            "SELECT pg_is_in_recovery() AND (pg_last_wal_replay_lsn() >= %s::pg_lsn"
            " OR pg_last_xact_replay_timestamp() >= %s)",
            [position, now - MOST_LAG],
        )
        return bool(cursor.fetchone()[0])
