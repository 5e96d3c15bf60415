import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings


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
