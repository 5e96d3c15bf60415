"""What the containers run beside the service: small programs, and what names them."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)


def run(
    script: str, *arguments: object, **env: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "deploy" / script), *map(str, arguments)]
    env = {"PATH": os.environ["PATH"], **env}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


class Service(BaseHTTPRequestHandler):
    """Answers as ours does: to one Host only."""

    def do_GET(self) -> None:
        known = self.headers["Host"] == "referral.example.com"
        self.send_response(200 if known and self.path == "/healthz" else 400)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("hosts", ["referral.example.com", " .referral.example.com,x"])
def test_a_container_is_healthy_while_it_answers(port: str, hosts: str) -> None:
    result = run("healthcheck.py", PORT=port, ALLOWED_HOSTS=hosts)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_container_is_unhealthy_when_it_does_not_answer_well(port: str) -> None:
    assert run("healthcheck.py", PORT=port, ALLOWED_HOSTS="*").returncode == 1


def test_a_container_is_unhealthy_when_nobody_listens(port: str) -> None:
    result = run("healthcheck.py", PORT="1", ALLOWED_HOSTS="referral.example.com")
    assert result.returncode == 1
    assert result.stderr.startswith("/healthz does not answer")


def test_secrets_are_drawn_once(tmp_path: Path) -> None:
    for reader in ("app", "database", "cache"):
        (tmp_path / reader).mkdir()

    def secrets() -> dict[str, str]:
        run("make_secrets.py", tmp_path).check_returncode()
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        return {str(file.relative_to(tmp_path)): file.read_text() for file in files}

    drawn = secrets()
    assert sorted(drawn) == [
        "app/database_password",
        "app/database_url",
        "app/redis_password",
        "app/redis_url",
        "app/secret_key",
        "cache/redis.conf",
        "database/password",
        "database/superuser_password",
    ]
    assert len(drawn["app/secret_key"]) >= 50
    assert drawn["database/password"] in drawn["app/database_url"]
    assert drawn["cache/redis.conf"].split()[1] in drawn["app/redis_url"]
    assert drawn["database/superuser_password"] not in str(drawn["app/database_url"])
    assert secrets() == drawn
    of_the_service = (tmp_path / "app").iterdir()
    assert {oct(file.stat().st_mode)[-3:] for file in of_the_service} == {"600"}


def test_each_secret_is_mounted_only_where_it_is_read() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    mounts = {
        name: {
            mount.split(":")[0]
            for mount in service.get("volumes", [])
            if "secrets" in mount
        }
        for name, service in yaml.safe_load(text)["services"].items()
    }
    app = {"secrets"}
    assert mounts == {
        "proxy": set(),
        "web": app,
        "worker": app,
        "prune": app,
        "migrate": app,
        "secrets": {"secrets", "database-secrets", "cache-secrets"},
        "db": {"database-secrets"},
        "cache": {"cache-secrets"},
    }


def test_every_way_of_tls_has_its_settings_and_its_nginx_file() -> None:
    files = [file.name for file in (ROOT / "deploy" / "tls").iterdir()]
    ways, kinds = {"off", "on", "outside"}, {"env", "conf", "accept"}
    assert set(files) == {f"{way}.{kind}" for way in ways for kind in kinds}


def test_every_command_that_is_to_run_exists() -> None:
    files = ["docker-compose.yml", "Procfile", "render.yaml", "docs/deployment.md"]
    texts = [(ROOT / file).read_text(encoding="utf-8") for file in files]
    manifests = (ROOT / "deploy" / "kubernetes").rglob("*.yaml")
    texts += [file.read_text(encoding="utf-8") for file in manifests]
    named = re.findall(r'manage\.py"?,? "?(\w+)', "\n".join(texts))
    assert {"migrate", "prune", "deliver_webhooks"} <= set(named) <= set(get_commands())
