"""Runs the examples of the documentation, word for word, on a live server."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.e2e.conftest import Server
from tests.lab.servers import ROOT

SECONDS = 60


def program(page: str, language: str) -> str:
    """All code blocks of one language, joined, as a reader would paste them."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks, f"{page} has no {language}"
    return "".join(blocks)


def run(server: Server, script: str, *command: str) -> str:
    result = subprocess.run(
        command,
        input=script,
        env={"PATH": os.environ["PATH"], "BASE": server.base_url},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert result.returncode == 0, result.stderr
    assert not result.stderr
    return result.stdout


def test_readme_walk_through_runs(server: Server) -> None:
    script = program("README.md", "bash") + program("docs/api.md", "bash")
    address = "BASE=http://127.0.0.1:8000\n"
    assert script.count(address) == 1
    seen = run(server, script.replace(address, ""), "bash", "-eu")
    token, invite_code = r'"token":"[\w-]+"', r"Alice's invite code is (\w{6})\n"
    assert re.search(token, seen)
    found = re.search(invite_code, seen)
    assert found
    assert seen.count(f'"activated_invite_code":"{found[1]}"') == 2
    assert re.search(r'"invite_code_already_activated".*\n409\n', seen)
    assert '"referrals":[{"phone_number":"+79990001002"' in seen
    assert re.search(r'^204\n.*"authentication_failed".*\n401\n', seen, re.MULTILINE)


def test_curl_client_runs(server: Server) -> None:
    seen = run(server, program("docs/integration.md", "sh"), "sh", "-eu")
    assert '"phone_number":"+79990002001"' in seen
    assert re.search(r"^retry-after: \d+", seen, re.MULTILINE | re.IGNORECASE)
    assert '"limit":"code_resend"' in seen
    assert seen.count('"success":true') == 1


def test_python_client_runs(server: Server) -> None:
    seen = run(server, program("docs/integration.md", "python"), sys.executable, "-")
    expected = r"throttled \d+\nTrue\nauthentication_failed False\n"
    assert re.fullmatch(expected, seen)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_javascript_client_runs(server: Server) -> None:
    command = ["node", "--input-type=module", "-"]
    seen = run(server, program("docs/integration.md", "js"), *command)
    assert re.fullmatch(r"throttled \d+\ntrue\n", seen)
