"""gunicorn's gthread worker, with a deadline for the client to send its request.

Without it, gthread waits without end after the first byte, and a few hundred clients
that send a byte now and then hold all threads. It costs nothing: plain gthread is as
fast (tests/benchmarks/PIECES.md). A reverse proxy that buffers requests does the same.

Requests that gunicorn itself refuses are answered in the error format of the API.
"""

import inspect
import json
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]  # ships no types
from gunicorn.http.errors import (  # type: ignore[import-untyped]  # as above
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # ships no types
    ThreadWorker,
)

# For the headers and the body together. What we accept fits into a few packets.
READ_SECONDS = 10
# Until when the request of a connection must have been read.
_deadlines: dict[Any, float] = {}
# Linux's numbers for the states of TCP connections that the client has closed.
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8
# Methods of gunicorn that are overridden below, with their parameters. None of them is
# public. If one were renamed, the deadline would be gone without an error.
OVERRIDDEN = {
    "init_process": ["self"],
    "set_accept_enabled": ["self", "enabled"],
    "handle": ["self", "conn"],
    "murder_pending": ["self"],
    "handle_error": ["self", "req", "client", "addr", "exc"],
}


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """In the error format of the API. Django has not seen the request."""

    status: int
    reason: str
    code: str
    detail: str

    def __bytes__(self) -> bytes:
        kind = "server_error" if self.status >= 500 else "client_error"
        error = {"code": self.code, "detail": self.detail, "attr": None}
        body = json.dumps({"type": kind, "errors": [error]})
        head = [
            f"HTTP/1.1 {self.status} {self.reason}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
        ]
        return "\r\n".join([*head, "", body]).encode("ascii")


MALFORMED = ErrorAnswer(400, "Bad Request", "bad_request", "Bad request.")
SERVER_ERROR = ErrorAnswer(
    500, "Internal Server Error", "error", "Something went wrong on our side."
)
# Other errors of the parser are MALFORMED.
ANSWERS: dict[tuple[type[Exception], ...], ErrorAnswer] = {
    (InvalidResponseHeader, InvalidResponseHeaderName): SERVER_ERROR,
    (LimitRequestLine,): ErrorAnswer(
        414, "URI Too Long", "uri_too_long", "The address is too long."
    ),
    (LimitRequestHeaders,): ErrorAnswer(
        431,
        "Request Header Fields Too Large",
        "headers_too_large",
        "The request has too many headers, or one that is too long.",
    ),
    (ExpectationFailed,): ErrorAnswer(
        417,
        "Expectation Failed",
        "expectation_failed",
        "Of Expect, only 100-continue is understood.",
    ),
    (ParseException, ssl.SSLError): MALFORMED,
}


def answer_to(error: Exception) -> ErrorAnswer:
    found = (answer for kinds, answer in ANSWERS.items() if isinstance(error, kinds))
    return next(found, SERVER_ERROR)


def check_gunicorn() -> None:
    """Raises RuntimeError if this gunicorn lacks a method that is overridden here."""
    for name, parameters in OVERRIDDEN.items():
        method = getattr(ThreadWorker, name, None)
        if method is None or list(inspect.signature(method).parameters) != parameters:
            raise RuntimeError(
                f"gunicorn's ThreadWorker.{name} has changed: adapt web_worker.py."
            )


def read_by_deadline(sock: socket.socket) -> None:
    """Begin a deadline: the client has READ_SECONDS to send what is read now."""
    _deadlines[sock] = time.monotonic() + READ_SECONDS


def request_was_read(sock: socket.socket) -> None:
    """End the deadline: from now on the client waits for us."""
    _deadlines.pop(sock, None)


def client_is_gone(sock: socket.socket) -> bool:
    """Whether the client has closed the connection. Only Linux tells."""
    if not hasattr(socket, "TCP_INFO"):
        return False
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    except OSError:  # not a TCP socket
        return False
    return info[0] in {TCP_CLOSE, TCP_CLOSE_WAIT}


class DeadlineThreadWorker(ThreadWorker):  # type: ignore[misc]  # as above
    def init_process(self) -> None:
        check_gunicorn()
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
        read_by_deadline(conn.sock)
        try:
            return super().handle(conn)
        finally:
            _deadlines.pop(conn.sock, None)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what gunicorn refuses itself; its own answers are HTML."""
        answer = answer_to(exc)
        if answer.status >= 500:
            self.log.exception("Error handling request")
        else:
            address = addr[0] if addr else ""
            self.log.warning("Invalid request from ip=%s: %s", address, exc)
        with suppress(OSError):  # the client is gone
            util.write_nonblock(client, bytes(answer))

    def murder_pending(self) -> None:
        """gthread calls this once a second or more often, to close idle connections."""
        super().murder_pending()
        now = time.monotonic()
        for sock, deadline in _deadlines.copy().items():
            if deadline < now:
                # Only the reading half: an answer that is being made still goes out.
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RD)
