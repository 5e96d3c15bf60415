"""What follows a commit, and must not make it look as if it had failed."""

from collections.abc import Callable
from typing import ParamSpec

from django.db import transaction

Arguments = ParamSpec("Arguments")


def after_commit(
    act: Callable[Arguments, object],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> None:
    """Call `act` after the commit. If it fails, the log says so and nothing else does.

    Not `on_commit(partial(…), robust=True)`: Django logs the name of what has failed,
    and a `partial` has none, so the request would fail after all.
    """

    def call() -> None:
        act(*args, **kwargs)

    call.__qualname__ = getattr(act, "__qualname__", call.__qualname__)
    transaction.on_commit(call, robust=True)
