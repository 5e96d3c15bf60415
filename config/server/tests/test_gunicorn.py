import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from django.conf import settings

from conftest import ALICE
from tests.lab import servers


def load(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Any:
    """On a machine with the CPUs 2 and 3, or in a container that may use those."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {2, 3}, raising=False)
    for name, value in changes.items():
        monkeypatch.setattr(f"config.settings.{name}", value)
    path = Path(settings.BASE_DIR) / "config" / "server" / "gunicorn.conf.py"
    spec = importlib.util.spec_from_file_location("gunicorn_conf", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load(monkeypatch, WEB_PIN_WORKERS=True)


def start_worker(conf: Any, server: Any, pid: int) -> Any:
    worker = SimpleNamespace()
    conf.pre_fork(server, worker)
    server.WORKERS[pid] = worker
    return worker


def test_workers_are_dealt_out_to_the_cpus(conf: Any) -> None:
    conf.workers = 4
    server = SimpleNamespace(WORKERS={})
    cpus = [start_worker(conf, server, pid).cpu for pid in range(4)]
    assert sorted(cpus) == [2, 2, 3, 3]
    ended = server.WORKERS.pop(0)
    assert start_worker(conf, server, 5).cpu == ended.cpu


def test_no_cpu_gets_more_workers_than_another(conf: Any) -> None:
    conf.workers = 3
    assert start_worker(conf, SimpleNamespace(WORKERS={}), 1).cpu is None


@pytest.mark.parametrize("is_on", [True, False])
def test_web_pin_workers_gives_each_worker_a_cpu_and_a_socket(
    monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    conf = load(
        monkeypatch, WEB_PIN_WORKERS=is_on, WEB_WORKERS=2, REDIS_URL="redis://host/0"
    )
    worker = start_worker(conf, SimpleNamespace(WORKERS={}), 1)
    assert conf.reuse_port is is_on
    assert (worker.cpu is not None) is is_on


def test_a_path_prefix_is_refused(conf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_NAME", "/referral")
    with pytest.raises(RuntimeError, match=r"^SCRIPT_NAME is set: "):
        conf.on_starting(None)


@pytest.mark.slow
def test_development_server_shows_the_code_and_warns_of_nothing(tmp_path: Path) -> None:
    env = {
        "DEBUG": "on",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "SMS_SIMULATED_DELAY": "0",
    }
    with servers.web(tmp_path, env) as service:
        url = service.env["BASE_URL"]
        assert requests.get(f"{url}/static/icon.svg", timeout=10).ok
        body = {"phone_number": ALICE}
        answer = requests.post(f"{url}/api/auth/request-code/", json=body, timeout=10)
    printed = service.log.read_text(encoding="utf-8")
    assert f"  │ {answer.json()['dev_code']} is your sign-in code." in printed
    assert "WARNING" not in printed
    assert "route=-" not in printed


@pytest.mark.parametrize("reload", [True, False])
def test_the_app_is_loaded_before_workers_are_forked(
    monkeypatch: pytest.MonkeyPatch, conf: Any, reload: bool
) -> None:
    """Not where changed code is loaded anew. Metrics need their folder before."""
    folders: list[str] = []
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    monkeypatch.setattr(conf, "reload", reload)
    monkeypatch.setattr(conf.gc, "freeze", lambda: None)
    disposed = Mock()
    monkeypatch.setattr(conf.pool_container, "dispose", disposed)
    monkeypatch.setattr(
        conf,
        "import_module",
        lambda name: folders.append(os.environ["PROMETHEUS_MULTIPROC_DIR"]),
    )
    conf.on_starting(SimpleNamespace(address=[]))
    conf.on_exit(None)
    assert [bool(folder) for folder in folders] == ([] if reload else [True])
    # Two workers must not use the connection of the checks.
    assert disposed.called is not reload
