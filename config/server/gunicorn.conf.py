"""gunicorn -c config/server/gunicorn.conf.py config.wsgi

The same server in development and in production; DEBUG makes it reload and talk.
"""

import gc
import os
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from logging.config import dictConfig
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # no types

from config.settings import (
    DEBUG,
    LOGGING,
    PORT,
    REDIS_URL,
    WEB_THREADS,
    WEB_WORKERS,
)

bind = f"127.0.0.1:{PORT}" if DEBUG else f"0.0.0.0:{PORT}"
# Local memory is one process's own: two would not know each other's codes and limits.
workers = WEB_WORKERS if REDIS_URL else 1
# A code request waits a second or two for its SMS; threads let others go on meanwhile.
worker_class = "config.server.web_worker.DeadlineThreadWorker"
# More than our clients send: a path and a cursor, a token and a browser's own headers.
limit_request_line = 2048
limit_request_fields = 64
limit_request_field_size = 8190
# No query of a request may wait longer, for a lock say; migrations are not bound. With
# the wait for a connection an answer still comes within five seconds.
raw_env = ["PGOPTIONS=-c statement_timeout=2500"]
threads = WEB_THREADS
# A socket for each worker, among which the kernel deals out the connections: of one
# that they share, whoever is quicker takes most, and its clients wait the longer.
reuse_port = workers > 1
# gthread accepts no more connections than this, so it must exceed the threads.
worker_connections = WEB_THREADS * 2 + 100
timeout = 30
graceful_timeout = 25
keepalive = 5
# Reading heartbeats from a disk that stalls would kill healthy workers.
shared_memory = Path("/dev/shm")  # noqa: S108  gunicorn makes its own files there
worker_tmp_dir = str(shared_memory) if shared_memory.is_dir() else None
control_socket_disable = True

reload = DEBUG
loglevel = "info" if not DEBUG else "warning"


class OurLogger(Logger):  # type: ignore[misc]  # as above
    """Looks like the rest. The access log is written by our middleware."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        dictConfig(LOGGING)


logger_class = OurLogger


def on_starting(server: Any) -> None:
    """Refuse a port that is taken, and make a folder for the metrics of this run."""
    for host, port in filter(
        lambda address: isinstance(address, tuple), server.address
    ):
        # With a socket for each worker, two servers could share it unawares.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    # Where its workers count; prometheus-client's way.
    folder = tempfile.mkdtemp(prefix="referral-metrics-", dir=worker_tmp_dir)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Where each CPU gets as many workers as the next, every worker stays on one.

    Its threads run one at a time anyway, and handing over to one on another CPU costs
    more than a small request.
    """
    worker.cpu = None
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    if cpus and workers % len(cpus) == 0:
        taken = [other.cpu for other in server.WORKERS.values()]
        worker.cpu = min(sorted(cpus), key=taken.count)


def post_fork(server: Any, worker: Any) -> None:
    # Hundreds of requests under way are many objects and no garbage: to look through
    # all of them stops everybody for half a second, and is seldom worth it.
    gc.set_threshold(100_000, 200, 10)
    # Every thread that waits to run wakes up so often to ask for it. When hundreds do,
    # at Python's 5 ms, on one CPU, nothing is left for the one that runs.
    sys.setswitchinterval(0.1)
    if worker.cpu is not None:
        with suppress(OSError):  # it may not: it works without
            os.sched_setaffinity(0, {worker.cpu})


def post_worker_init(worker: Any) -> None:
    gc.freeze()
