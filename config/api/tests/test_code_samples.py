"""The samples in the API documentation send what the schema says."""

import json
import shlex
import shutil
import subprocess
from typing import Any

import pytest
import requests
from django.conf import LazySettings

from config.api.code_samples import add_code_samples
from tests.project.test_schema import generate, operations, schema

NODE = shutil.which("node") or ""
BODY = {"phone_number": "8 (999) 123-45-67"}
SENT = {
    "POST /api/auth/request-code/": ("", BODY),
    "GET /api/profile/": ("Token TOKEN", None),
    "DELETE /api/auth/sessions/{device_id}/": ("Token TOKEN", None),
    "GET /api/users/": ("Token TOKEN", None),
    "GET /api/auth/jwt/verify/": ("Bearer TOKEN", None),
    "GET /metrics": ("Bearer TOKEN", None),
    "GET /healthz": ("", None),
}

Sent = dict[str, Any]


def sample(operation: Any, label: str) -> str:
    sources = {s["label"]: str(s["source"]) for s in operation["x-codeSamples"]}
    return sources[label]


def sent_by_curl(source: str) -> Sent:
    command, *words = shlex.split(source)
    assert command == "curl"
    options: dict[str, list[str]] = {"-X": [], "-H": [], "-d": [], "url": []}
    while words:
        word = words.pop(0)
        name, value = (word, words.pop(0)) if word in options else ("url", word)
        options[name].append(value)
    return {
        "method": options["-X"][0],
        "url": options["url"][0],
        "headers": dict(header.split(": ") for header in options["-H"]),
        "body": json.loads(options["-d"][0]) if options["-d"] else None,
    }


def sent_by_python(source: str, monkeypatch: pytest.MonkeyPatch) -> Sent:
    sent: list[Any] = []

    def send(session: Any, request: Any, **kwargs: Any) -> requests.Response:
        assert kwargs["timeout"]
        sent.append(request)
        return requests.Response()

    monkeypatch.setattr(requests.Session, "send", send)
    exec(source, {})  # noqa: S102  our own text
    (request,) = sent
    names = {"Authorization", "Content-Type"} & set(request.headers)
    return {
        "method": request.method,
        "url": request.url,
        "headers": {name: request.headers[name] for name in names},
        "body": json.loads(request.body) if request.body else None,
    }


def test_curl_and_python_send_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, operation in operations():
        by_curl = sent_by_curl(sample(operation, "curl"))
        by_python = sent_by_python(sample(operation, "Python"), monkeypatch)
        assert by_curl == by_python, name


@pytest.mark.skipif(not NODE, reason="node is not installed")
def test_curl_and_javascript_send_the_same() -> None:
    samples = [sample(operation, "JavaScript") for _, operation in operations()]
    program = [
        "const sent = [];",
        "globalThis.fetch = async (url, { signal, body, ...rest }) => {",
        "  sent.push({ url, headers: {}, body: JSON.parse(body ?? 'null'), ...rest });",
        "  return { status: 0, text: async () => '' };",
        "};",
        "console.log = () => {};",
        *(f"{{ {source} }}" for source in samples),
        "process.stdout.write(JSON.stringify(sent));",
        "process.exit();",  # without waiting for the timeouts
    ]
    result = subprocess.run(
        [NODE, "--input-type=module"],
        input="\n".join(program),
        capture_output=True,
        text=True,
        check=True,
    )
    by_curl = [sent_by_curl(sample(o, "curl")) for _, o in operations()]
    assert json.loads(result.stdout) == by_curl


@pytest.mark.parametrize("name", SENT)
def test_a_sample_sends_what_the_operation_needs(name: str) -> None:
    authorization, body = SENT[name]
    sent = sent_by_curl(sample(dict(operations())[name], "curl"))
    method, _, path = name.partition(" ")
    path = path.replace("{device_id}", "DEVICE_ID")
    headers = {"Authorization": authorization} if authorization else {}
    if body:
        headers["Content-Type"] = "application/json"
    assert sent == {
        "method": method,
        "url": f"http://127.0.0.1:8000{path}",
        "headers": headers,
        "body": body,
    }


def test_samples_are_for_the_public_address(settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://referral.example.com"
    source = sample(generate()["paths"]["/healthz"]["get"], "curl")
    assert source == "curl -X GET https://referral.example.com/healthz"


def test_a_quote_in_an_example_ends_no_string(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"first_name": 'D\'Arcy "Ё"', "is_new": True, "last_name": None}
    content = {"application/json": {"examples": {"Name": {"value": body}}}}
    operation: Any = {"security": [], "requestBody": {"content": content}}
    add_code_samples(
        {
            "components": {"securitySchemes": {}},
            "paths": {"/api/profile/": {"patch": operation}},
        }
    )
    assert sent_by_curl(sample(operation, "curl"))["body"] == body
    assert sent_by_python(sample(operation, "Python"), monkeypatch)["body"] == body


def test_token_is_the_first_way_to_authenticate() -> None:
    assert next(iter(schema()["components"]["securitySchemes"])) == "token"
    assert schema()["paths"]["/api/profile/"]["get"]["security"] == [
        {"token": []},
        {"bearer": []},
    ]
