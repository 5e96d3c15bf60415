"""What the web server gets on the wire, byte by byte."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.conftest import Server
from tests.lab.shared import new_phone_number

JSON = "Content-Type: application/json\r\n"
POST = f"POST /api/auth/verify-code/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{JSON}"
GET = "GET /api/profile/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
QUERY = GET.replace("/ ", "/?a=%D0 ")
CHUNKED = "Transfer-Encoding: chunked\r\n"
ONE_CHUNK = "2\r\n{}\r\n0\r\n\r\n"


def answer(server: Server, request: str, timeout: float = 20) -> tuple[int, Any]:
    """The status and the error code of the first answer."""
    at = urlsplit(server.base_url)
    with socket.create_connection((str(at.hostname), at.port or 80), timeout) as client:
        client.sendall(request.encode())
        with client.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            length = 0
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = json.loads(stream.read(length))
    return status, body["errors"][0]["code"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (f"{POST}{CHUNKED}\r\n{ONE_CHUNK}", (400, "required")),
        (f"{POST}{CHUNKED}\r\nzz\r\n", (400, "bad_request")),
        (f"{POST}{CHUNKED}Content-Length: 2\r\n\r\n{ONE_CHUNK}", (400, "bad_request")),
        (f"{POST}Transfer-Encoding: xchunked\r\n\r\n", (400, "bad_request")),
        (
            f"{POST}Transfer-Encoding: identity, chunked\r\n\r\n{ONE_CHUNK}",
            (400, "bad_request"),
        ),
        (f"GET /?{'x' * 3000} HTTP/1.1\r\n\r\n", (414, "uri_too_long")),
        (f"{GET}X: {'x' * 9000}\r\n\r\n", (431, "headers_too_large")),
        (GET + "X: 1\r\n" * 80 + "\r\n", (431, "headers_too_large")),
        (f"{GET}Expect: tea\r\n\r\n", (417, "expectation_failed")),
        ("hello\r\n\r\n", (400, "bad_request")),
        (f"{GET}Bad Header: x\r\n\r\n", (400, "bad_request")),
        (GET.replace("1.1", "1.0") + "\r\n", (401, "not_authenticated")),
        (f"{QUERY}Content-Type: x/y; charset=zlib\r\n\r\n", (401, "not_authenticated")),
        (f"{GET}Content-Type: x/y; a*=b''c\r\n\r\n", (401, "not_authenticated")),
        (f"{GET}Authorization: token abc\r\n\r\n", (401, "authentication_failed")),
    ],
)
def test_answers_have_the_error_shape(
    server: Server, request_: str, expected: tuple[int, str]
) -> None:
    assert answer(server, request_) == expected


def test_a_slow_sender_of_chunks_is_cut_off(server: Server) -> None:
    start = time.monotonic()
    assert answer(server, f"{POST}{CHUNKED}\r\nff\r\n{{") == (400, "bad_request")
    assert 8 < time.monotonic() - start < 16


@pytest.mark.parametrize(("size", "status"), [(100, 200), (70_000, 413)])
def test_a_chunked_upload_is_read_up_to_the_limit(
    server: Server, size: int, status: int
) -> None:
    body = json.dumps({"phone_number": new_phone_number()}).rjust(size).encode()

    def chunks() -> Iterator[bytes]:
        yield from (body[i : i + 4000] for i in range(0, size, 4000))

    url, headers = "/api/auth/request-code/", {"Content-Type": "application/json"}
    got = requests.post(
        server.base_url + url, data=chunks(), headers=headers, timeout=20
    )
    assert got.status_code == status


def test_a_code_sent_twice_at_the_same_moment_makes_one_device(server: Server) -> None:
    browser = requests.Session()

    def send(path: str, cookies: dict[str, str], **form: str) -> requests.Response:
        form["csrfmiddlewaretoken"] = cookies["csrftoken"]
        return requests.post(
            server.base_url + path,
            data=form,
            cookies=cookies,
            timeout=20,
            allow_redirects=False,
        )

    browser.get(f"{server.base_url}/login/", timeout=20)
    cookies = browser.cookies.get_dict()
    asked = send("/login/", cookies, phone_number=new_phone_number())
    browser.cookies.update(asked.cookies)
    page = browser.get(f"{server.base_url}/login/code/", timeout=20).text
    code = re.findall(r'id="dev-code">(\d+)<', page)[0]
    # The browser has the cookie of a session that has ended.
    cookies = {**browser.cookies.get_dict(), "sessionid": "made-up"}
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(send, "/login/code/", cookies, code=code) for _ in "12"]
        answers = [job.result() for job in jobs]
    answers.sort(key=lambda got: got.status_code)
    assert [got.status_code for got in answers] == [302, 400]
    # The answer to the second comes last and leaves the session of the first alone.
    assert "sessionid" not in answers[1].headers.get("Set-Cookie", "")
    session = {"sessionid": answers[0].cookies["sessionid"]}
    devices = requests.get(
        f"{server.base_url}/profile/devices/", cookies=session, timeout=20
    )
    assert devices.url.endswith("/profile/devices/")
    assert len(re.findall(r'id="device-\d+"', devices.text)) == 1
    again = requests.get(
        f"{server.base_url}/login/code/", cookies={**cookies, **session}, timeout=20
    )
    assert again.url.endswith("/profile/")


def test_curl_signs_in_with_chunked_bodies(server: Server) -> None:
    def curl(path: str, body: dict[str, str]) -> Any:
        headers = ["Content-Type: application/json", "Transfer-Encoding: chunked"]
        options = [part for header in headers for part in ("-H", header)]
        url = f"{server.base_url}/api/auth/{path}/"
        command = ["curl", "-s", "-m", "20", *options, "--data-binary", "@-", url]
        result = subprocess.run(
            command, input=json.dumps(body), capture_output=True, text=True, check=True
        )
        return json.loads(result.stdout)

    phone = {"phone_number": new_phone_number()}
    code = curl("request-code", phone)["dev_code"]
    assert curl("verify-code", {**phone, "code": code})["is_new_user"] is True
