"""gunicorn -c config/server/gunicorn.conf.py config.wsgi

The same server in development and in production. DEBUG makes it reload.
"""

import gc
import os
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from logging.config import dictConfig
from pathlib import Path
from typing import Any

from dj_db_conn_pool.core import (  # type: ignore[import-untyped]  # no types
    pool_container,
)
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # no types

from config.settings import (
    DEBUG,
    LOGGING,
    PORT,
    REDIS_URL,
    WEB_PIN_WORKERS,
    WEB_THREADS,
    WEB_WORKERS,
)

bind = f"127.0.0.1:{PORT}" if DEBUG else f"0.0.0.0:{PORT}"
# Without Redis, codes and limits are in the memory of one process: another would not
# see them.
workers = WEB_WORKERS if REDIS_URL else 1
# A code request waits for its SMS for a second or two. Threads serve others meanwhile.
worker_class = "config.server.web_worker.DeadlineThreadWorker"
# More than our clients send: a path with a cursor, a token and a browser's headers.
limit_request_line = 2048
limit_request_fields = 64
limit_request_field_size = 8190
# By default gunicorn lets peers on 127.0.0.1 and FORWARDED_ALLOW_IPS set path and
# scheme with headers, and a proxy there may pass on those of its clients. Here only
# Django reads X-Forwarded-Proto, if TRUSTED_PROXY_COUNT is set.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
# The longest that a query of a request may take, waits for locks included. Together
# with the wait for a turn during an outage (request_queue.py), an answer comes within
# five seconds. Not for migrations.
raw_env = ["PGOPTIONS=-c statement_timeout=2500"]
threads = WEB_THREADS
# SO_REUSEPORT: each worker has a listening socket, and the kernel spreads connections
# evenly. From one shared socket the quickest worker takes most of them, and its clients
# wait. (PIECES.md: without pinning a fourth fewer codes.)
reuse_port = WEB_PIN_WORKERS and workers > 1
# gthread accepts no more connections than this: it must be more than the threads.
worker_connections = WEB_THREADS * 2 + 100
timeout = 30
graceful_timeout = 25
keepalive = 5
# Heartbeats are files. On a disk that stalls, healthy workers would be killed.
shared_memory = Path("/dev/shm")  # noqa: S108  gunicorn makes its own files there
worker_tmp_dir = str(shared_memory) if shared_memory.is_dir() else None
control_socket_disable = True

reload = DEBUG
# At "warning" gunicorn would warn of the reloader at each start.
loglevel = "info" if not DEBUG else "error"


class OurLogger(Logger):  # type: ignore[misc]  # as above
    """gunicorn's own lines look like ours. Our middleware writes the access log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        dictConfig(LOGGING)


logger_class = OurLogger


def on_starting(server: Any) -> None:
    """Refuse a path prefix or a port that is taken; make a folder for the metrics."""
    if os.environ.get("SCRIPT_NAME"):  # gunicorn would cut it off each path
        raise RuntimeError(
            "SCRIPT_NAME is set: the service works only at the root of a host."
        )
    for host, port in filter(
        lambda address: isinstance(address, tuple), server.address
    ):
        # With SO_REUSEPORT two servers could listen on one port without an error.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    # prometheus-client's way to add up the counts of several processes.
    folder = tempfile.mkdtemp(prefix="referral-metrics-", dir=worker_tmp_dir)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    if not reload:
        # Workers share the memory of what was loaded before they were forked. Not with
        # gunicorn's preload_app, which loads it before this function is called.
        try:
            import_module("config.wsgi")
        except Exception as error:
            server.log.exception("the service does not start")
            on_exit(server)
            sys.exit(str(error))
        # Workers must not share the connection that the checks have used.
        pool_container.dispose()
        gc.freeze()


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Pin each worker to one CPU, if every CPU gets equally many.

    A worker's threads run one at a time anyway, and passing Python's lock to a thread
    on another CPU costs more than a small request.
    """
    worker.cpu = None
    if not WEB_PIN_WORKERS:
        return
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    if cpus and workers % len(cpus) == 0:
        taken = [other.cpu for other in server.WORKERS.values()]
        worker.cpu = min(sorted(cpus), key=taken.count)


def post_fork(server: Any, worker: Any) -> None:
    if worker.cpu is not None:
        with suppress(OSError):  # some systems forbid it
            os.sched_setaffinity(0, {worker.cpu})


def post_worker_init(worker: Any) -> None:
    gc.freeze()
