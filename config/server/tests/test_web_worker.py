import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # ships no types
from gunicorn.http import errors  # type: ignore[import-untyped]  # as above
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # ships no types
    TConn,
    ThreadWorker,
)

from config.server import web_worker
from config.server.web_worker import (
    OVERRIDDEN,
    DeadlineThreadWorker,
    check_gunicorn,
    client_is_gone,
)


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
    assert web_worker._deadlines == {}


def test_a_client_in_time_is_not_cut_off(worker: Any) -> None:
    client, ours = socket.socketpair()
    with client, ours:
        web_worker._deadlines[ours] = time.monotonic() + 5
        worker.murder_pending()
        client.sendall(b"a")
        assert ours.recv(1) == b"a"
        web_worker._deadlines.clear()


def test_a_client_that_waits_for_its_answer_is_not_cut_off(worker: Any) -> None:
    client, ours = socket.socketpair()
    with client, ours:
        web_worker._deadlines[ours] = time.monotonic() - 1
        web_worker.request_was_read(ours)
        worker.murder_pending()
        client.sendall(b"the next request")
        assert ours.recv(1) == b"t"


@pytest.mark.skipif(
    not hasattr(socket, "TCP_INFO"), reason="only Linux tells the state of TCP"
)
def test_a_client_that_closed_its_connection_is_gone(listener: socket.socket) -> None:
    client = socket.create_connection(listener.getsockname())
    ours, _ = listener.accept()
    with ours:
        ours.shutdown(socket.SHUT_RD)  # by us, for example at the deadline
        assert not client_is_gone(ours)
        client.close()
        time.sleep(0.01)
        assert client_is_gone(ours)


def test_a_socket_that_is_not_tcp_has_no_state() -> None:
    client, ours = socket.socketpair()
    with client, ours:
        assert not client_is_gone(ours)


def test_a_worker_that_ends_closes_its_sockets(
    worker: Any, listener: socket.socket
) -> None:
    worker.set_accept_enabled(False)
    assert listener.fileno() != -1
    worker.alive = False
    worker.set_accept_enabled(False)
    assert listener.fileno() == -1


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.LimitRequestLine(3000, 2048), 414, "uri_too_long"),
        (errors.LimitRequestHeaders("too many"), 431, "headers_too_large"),
        (errors.ExpectationFailed("tea"), 417, "expectation_failed"),
        (errors.InvalidRequestLine("hello"), 400, "bad_request"),
        (errors.InvalidHeader("CONTENT-LENGTH"), 400, "bad_request"),
        (errors.UnsupportedTransferCoding("xchunked"), 400, "bad_request"),
        (errors.InvalidResponseHeader("X"), 500, "error"),
        (ZeroDivisionError("secret"), 500, "error"),
    ],
)
def test_gunicorn_s_own_errors_have_the_shape(
    worker: Any, error: Exception, status: int, code: str
) -> None:
    worker.log = Mock()
    client, ours = socket.socketpair()
    with client, ours:
        worker.handle_error(None, ours, ("127.0.0.1", 1), error)
        answer = client.recv(10_000)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/json" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["errors"][0]["code"] == code
    assert b"secret" not in body
    assert worker.log.exception.called is (status == 500)
    assert worker.log.warning.called is (status < 500)


def test_a_client_that_is_gone_is_no_error(worker: Any) -> None:
    worker.log = Mock()
    client, ours = socket.socketpair()
    with ours:
        client.close()
        worker.handle_error(None, ours, None, errors.InvalidRequestLine("hello"))
