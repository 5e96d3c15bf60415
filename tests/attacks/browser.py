"""A browser without a screen: handles cookies, forms and CSRF tokens."""

import re
from typing import Any

import requests

from tests.attacks.attacker import Target, new_address

TIMEOUT_SECONDS = 30


class Browser:
    def __init__(self, server: Target) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.headers["X-Forwarded-For"] = new_address()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self._ask("GET", path, **options)

    def post(self, path: str, form: str = "", **data: str) -> requests.Response:
        """Send a form with the CSRF token from the page `form` (default: `path`)."""
        page = self.get(form or path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, page
        data["csrfmiddlewaretoken"] = token[1]
        return self._ask("POST", path, data=data)

    def post_bare(self, path: str, **data: str) -> requests.Response:
        return self._ask("POST", path, data=data)

    def sign_in(self, phone_number: str, *, query: str = "") -> requests.Response:
        """Sign in through the pages. Return the answer to the right code."""
        sent = self.post(f"/login/{query}", phone_number=phone_number)
        assert sent.status_code == 302, sent.text
        page = self.get("/login/code/").text
        code = re.search(r'id="dev-code">(\d+)<', page)
        assert code, page
        answer = self.post("/login/code/", code=code[1])
        assert answer.status_code == 302, answer.text
        return answer

    @property
    def is_signed_in(self) -> bool:
        return self.get("/profile/").status_code == 200

    def close(self) -> None:
        self.session.close()

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(
            method,
            self.server.base_url + path,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
            **options,
        )
