"""Challenges: tasks that strangers solve before they get what is in short supply.

Past half of a limit that they share, nobody is refused at once. The client gets a task,
solves it, and asks again with the solution. This costs a person a second, and an
attacker a second for each code. CHALLENGE_BACKEND names the class by its dotted path.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.conf import settings
from django.utils.module_loading import import_string

from users.challenges.exceptions import ChallengeRequired

MAX_SOLUTION_LENGTH = 4096


class Challenge(ABC):
    # Part of the page that asks: solves the task, or shows it to the person. It fills
    # in the field "challenge" of the form around it. Gets `task` and `task_json`.
    template_name: ClassVar[str]

    @abstractmethod
    def task(self) -> dict[str, Any]:
        """A new task, as JSON for the client. `kind` names the kind of challenge."""

    @abstractmethod
    def solved(self, solution: str) -> bool:
        """Whether this solves a task of ours that has not expired.

        Each solution is accepted once, in all processes together.
        """


def backend() -> Challenge | None:
    """None where CHALLENGE_BACKEND is "none". Raises ImportError for an unknown one."""
    if settings.CHALLENGE_BACKEND == "none":
        return None
    found: type[Challenge] = import_string(settings.CHALLENGE_BACKEND)
    return found()


def is_due(solution: str) -> bool:
    """Whether the client still has to solve a task. Never where there are none.

    Spends a solution that is right, so first check what can refuse for other reasons.
    """
    challenge = backend()
    if challenge is None:
        return False
    is_read = 0 < len(solution) <= MAX_SOLUTION_LENGTH
    return not (is_read and challenge.solved(solution))


def required(*, limit: str = "challenge", wait: int = 60) -> ChallengeRequired:
    """The refusal with a new task, for a client of which one `is_due`.

    `limit` names the limit that was reached; `wait` is in seconds.
    """
    challenge = backend()
    assert challenge is not None, "no task is due"  # noqa: S101
    return ChallengeRequired(challenge.task(), limit=limit, wait=wait)
