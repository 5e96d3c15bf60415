"""The feed of the ledger."""

from config.server.replica import alias_for_long_reads
from referrals.ledger import last_position, number_entries
from referrals.models import LedgerEntry
from users.staff.exceptions import SinceUnknown

PAGE_SIZE = 500


def read_ledger(since: int) -> tuple[list[LedgerEntry], bool]:
    """A page of the entries after a position, and whether there are more.

    Entries that were committed since the last call get their positions now. Raises
    SinceUnknown.

    The primary says which position is the last. A standby may not have it yet, or may
    have entries that the primary would lose if it failed now.
    """
    number_entries()
    last = last_position()
    if since > last:
        raise SinceUnknown
    after = LedgerEntry.objects.filter(position__gt=since, position__lte=last)
    page = after.using(alias_for_long_reads()).order_by("position")
    entries = list(page[: PAGE_SIZE + 1])
    return entries[:PAGE_SIZE], len(entries) > PAGE_SIZE
