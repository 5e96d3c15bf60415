import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # ships no types
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # ships no types
    TConn,
    ThreadWorker,
)

from config.server import web_worker
from config.server.web_worker import OVERRIDDEN, DeadlineThreadWorker, check_gunicorn


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def worker(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """One that has been started, but does not run its loop."""
    monkeypatch.setattr(ThreadWorker, "init_process", lambda self: None)
    worker = DeadlineThreadWorker(0, 0, [listener], None, 30, Config(), None)
    worker.init_process()
    yield worker
    worker.tmp.close()


def test_every_overridden_method_is_checked() -> None:
    own = {name for name in vars(DeadlineThreadWorker) if not name.startswith("__")}
    assert own == set(OVERRIDDEN)


def test_this_gunicorn_has_the_methods() -> None:
    check_gunicorn()


@pytest.mark.parametrize("name", ["set_accept_enabled", "handle", "murder_pending"])
def test_a_gunicorn_without_a_method_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delattr(ThreadWorker, name)
    with pytest.raises(RuntimeError, match=name):
        check_gunicorn()


def test_a_gunicorn_with_other_parameters_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def handle(self: Any, conn: Any, deadline: float) -> None: ...

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    with pytest.raises(RuntimeError, match="handle"):
        check_gunicorn()


@pytest.mark.parametrize(
    ("caller", "method"),
    [
        ("enqueue_req", "handle"),
        ("run", "murder_pending"),
        ("run", "set_accept_enabled"),
    ],
)
def test_this_gunicorn_still_calls_the_method(caller: str, method: str) -> None:
    assert method in getattr(ThreadWorker, caller).__code__.co_names


def test_a_slow_client_is_cut_off(worker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While its request is read, and not later than READ_SECONDS."""
    monkeypatch.setattr(web_worker, "READ_SECONDS", 0)
    monkeypatch.setattr(ThreadWorker, "handle", lambda self, conn: conn.sock.recv(1))
    client, ours = socket.socketpair()
    with client, ours:
        conn = TConn(Config(), ours, None, None)
        ours.setblocking(True)
        thread = threading.Thread(target=worker.handle, args=[conn], daemon=True)
        thread.start()
        deadline = time.monotonic() + 5
        while thread.is_alive() and time.monotonic() < deadline:
            worker.murder_pending()
            time.sleep(0.01)
        assert not thread.is_alive()
        ours.sendall(b"an answer still goes out")
    assert worker._deadlines == {}


def test_a_client_in_time_is_not_cut_off(worker: Any) -> None:
    client, ours = socket.socketpair()
    with client, ours:
        conn = TConn(Config(), ours, None, None)
        worker._deadlines[conn] = time.monotonic() + 5
        worker.murder_pending()
        client.sendall(b"a")
        assert ours.recv(1) == b"a"


def test_a_worker_that_ends_closes_its_sockets(
    worker: Any, listener: socket.socket
) -> None:
    worker.set_accept_enabled(False)
    assert listener.fileno() != -1
    worker.alive = False
    worker.set_accept_enabled(False)
    assert listener.fileno() == -1
