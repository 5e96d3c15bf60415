"""gunicorn -c config/gunicorn.conf.py config.wsgi"""

from pathlib import Path

from config.settings import PORT, WEB_THREADS, WEB_WORKERS

bind = f"0.0.0.0:{PORT}"
workers = WEB_WORKERS
# A code request waits a second or two for its SMS; threads let others go on meanwhile.
worker_class = "gthread"
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
accesslog = None
