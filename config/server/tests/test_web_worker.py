from typing import Any

import pytest
from gunicorn.workers.gthread import (  # type: ignore[import-untyped]  # ships no types
    ThreadWorker,
)

from config.server.web_worker import OVERRIDDEN, DeadlineThreadWorker, check_gunicorn


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
