"""How to send each request with curl, Python and JavaScript, for `/redoc/`.

A sample is made from what the schema says of the operation: its method and path, its
first example of a body, and the first way to authenticate. Words in capitals are to be
replaced.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

TIMEOUT_SECONDS = 30  # as in docs/integration.md


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    body: Any


def add_code_samples(result: Any, **kwargs: Any) -> Any:
    """A hook of drf-spectacular: adds `x-codeSamples` to each operation."""
    schemes = result["components"]["securitySchemes"]
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            request = _request(method, path, operation, schemes)
            operation["x-codeSamples"] = [
                {"lang": lang, "label": label, "source": "\n".join(lines(request))}
                for lang, label, lines in [
                    ("Shell", "curl", _curl),
                    ("Python", "Python", _python),
                    ("JavaScript", "JavaScript", _javascript),
                ]
            ]
    return result


def _request(method: str, path: str, operation: Any, schemes: Any) -> _Request:
    base_url = settings.PUBLIC_URL or f"http://127.0.0.1:{settings.PORT}"
    path = re.sub(r"{(\w+)}", lambda match: match[1].upper(), path)
    headers, body = {}, None
    if operation["security"]:
        scheme = schemes[next(iter(operation["security"][0]))]
        word = "Bearer" if scheme["type"] == "http" else "Token"
        headers["Authorization"] = f"{word} TOKEN"
    if "requestBody" in operation:
        headers["Content-Type"] = "application/json"
        examples = operation["requestBody"]["content"]["application/json"]["examples"]
        body = next(iter(examples.values()))["value"]
    return _Request(method.upper(), base_url + path, headers, body)


def _curl(request: _Request) -> Iterator[str]:
    parts = [f"curl -X {request.method} {shlex.quote(request.url)}"]
    parts += [f"-H '{name}: {value}'" for name, value in request.headers.items()]
    if request.body is not None:
        parts.append(f"-d {shlex.quote(_json(request.body))}")
    yield " \\\n  ".join(parts)


def _python(request: _Request) -> Iterator[str]:
    yield "import requests"
    yield ""
    yield f"response = requests.{request.method.lower()}("
    yield f"    {_json(request.url)},"
    # With `json=`, requests adds the Content-Type.
    own = {k: v for k, v in request.headers.items() if k != "Content-Type"}
    if own:
        yield f"    headers={_json(own)},"
    if request.body is not None:
        yield f"    json={request.body!r},"
    yield f"    timeout={TIMEOUT_SECONDS},"
    yield ")"
    yield "print(response.status_code, response.text)"


def _javascript(request: _Request) -> Iterator[str]:
    yield f"const response = await fetch({_json(request.url)}, {{"
    yield f"  method: {_json(request.method)},"
    if request.headers:
        yield f"  headers: {_json(request.headers)},"
    if request.body is not None:
        yield f"  body: JSON.stringify({_json(request.body)}),"
    yield f"  signal: AbortSignal.timeout({TIMEOUT_SECONDS * 1000}),"
    yield "});"
    yield "console.log(response.status, await response.text());"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
