"""gunicorn's gthread worker, with a deadline for the client to send its request.

Without it, gthread waits without end after the first byte, and a few hundred clients
that send a byte now and then hold all threads. It costs nothing: plain gthread is as
fast (tests/benchmarks/PIECES.md). A reverse proxy that buffers requests does the same.
"""

import inspect
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # ships no types
    ThreadWorker,
)

# For the headers and the body together. What we accept fits into a few packets.
READ_SECONDS = 10
# Methods of gunicorn that are overridden below, with their parameters. None of them is
# public. If one were renamed, the deadline would be gone without an error.
OVERRIDDEN = {
    "init_process": ["self"],
    "set_accept_enabled": ["self", "enabled"],
    "handle": ["self", "conn"],
    "murder_pending": ["self"],
}


def check_gunicorn() -> None:
    """Raises RuntimeError if this gunicorn lacks a method that is overridden here."""
    for name, parameters in OVERRIDDEN.items():
        method = getattr(ThreadWorker, name, None)
        if method is None or list(inspect.signature(method).parameters) != parameters:
            raise RuntimeError(
                f"gunicorn's ThreadWorker.{name} has changed: adapt web_worker.py."
            )


class DeadlineThreadWorker(ThreadWorker):  # type: ignore[misc]  # as above
    def init_process(self) -> None:
        check_gunicorn()
        self._deadlines: dict[Any, float] = {}
        super().init_process()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Close the listening sockets of a worker that is ending.

        Otherwise the kernel would still give it new connections.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def handle(self, conn: Any) -> Any:
        self._deadlines[conn] = time.monotonic() + READ_SECONDS
        try:
            return super().handle(conn)
        finally:
            self._deadlines.pop(conn, None)

    def murder_pending(self) -> None:
        """gthread calls this once a second or more often, to close idle connections."""
        super().murder_pending()
        now = time.monotonic()
        for conn, deadline in self._deadlines.copy().items():
            if deadline < now:
                # Only the reading half: an answer that is being made still goes out.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
