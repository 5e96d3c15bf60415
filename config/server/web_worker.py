"""gunicorn's threads, with an end to how long a client may take to send its request.

gthread itself waits without end once the first byte is there, so a few hundred clients
that send a byte now and then would hold all threads.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # ships no types
    ThreadWorker,
)

# For the head and the body together; what we take fits into a few packets.
READ_SECONDS = 10


class DeadlineThreadWorker(ThreadWorker):  # type: ignore[misc]  # as above
    def init_process(self) -> None:
        self._deadlines: dict[Any, float] = {}
        super().init_process()

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """All threads from the start: it takes long while many clients come."""
        pool: ThreadPoolExecutor = super().get_thread_pool()
        started = Barrier(self.cfg.threads + 1)
        try:
            for _ in range(self.cfg.threads):
                pool.submit(started.wait)
        except RuntimeError:  # the system gives no more threads
            started.abort()
            raise
        started.wait()
        return pool

    def set_accept_enabled(self, enabled: bool) -> None:
        """Or the kernel would go on giving connections to a worker that is ending."""
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
        """gthread's own sweep of idle connections, once a second or more often."""
        super().murder_pending()
        now = time.monotonic()
        for conn, deadline in self._deadlines.copy().items():
            if deadline < now:
                # Only the reading half: an answer in the making still goes out.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
