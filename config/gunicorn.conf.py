"""gunicorn -c config/gunicorn.conf.py config.wsgi

The same server in development and in production; DEBUG makes it reload and talk.
"""

from pathlib import Path

from config.settings import DEBUG, PORT, REDIS_URL, WEB_THREADS, WEB_WORKERS

bind = f"127.0.0.1:{PORT}" if DEBUG else f"0.0.0.0:{PORT}"
# Local memory is one process's own: two would not know each other's codes and limits.
workers = WEB_WORKERS if REDIS_URL else 1
# A code request waits a second or two for its SMS; threads let others go on meanwhile.
worker_class = "config.web_worker.DeadlineThreadWorker"
# More than our clients send: a path and a cursor, a token and a browser's own headers.
limit_request_line = 2048
limit_request_fields = 64
limit_request_field_size = 8190
# No query of a request may wait longer, for a lock say; migrations are not bound. With
# the wait for a connection an answer still comes within five seconds.
raw_env = ["PGOPTIONS=-c statement_timeout=2500"]
threads = WEB_THREADS
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
accesslog = "-" if DEBUG else None
access_log_format = "%(m)s %(U)s %(s)s %(M)s ms"  # no query strings in a log
loglevel = "info" if not DEBUG else "warning"
