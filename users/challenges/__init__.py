"""Challenges: tasks that strangers solve before they get what is in short supply.

Past a soft limit nobody is refused at once. The client gets a task, solves it, and asks
again with the solution. This costs a person a second and an attacker a second for each
code. CHALLENGE_BACKEND names the class, by its dotted path; without one there are no
challenges.
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
    """Raises ImportError when CHALLENGE_BACKEND names nothing."""
    if not settings.CHALLENGE_BACKEND:
        return None
    found: type[Challenge] = import_string(settings.CHALLENGE_BACKEND)
    return found()


def is_solved(solution: str) -> bool:
    """Whether the client may go on. True where there are no challenges.

    Spends the solution. Check everything that can refuse for other reasons before.
    """
    challenge = backend()
    if challenge is None:
        return True
    return 0 < len(solution) <= MAX_SOLUTION_LENGTH and challenge.solved(solution)


def required(*, limit: str, wait: int) -> ChallengeRequired:
    """The refusal that carries a new task. `limit` names the soft limit, `wait` is the
    number of seconds after which it allows a request without a task."""
    challenge = backend()
    assert challenge is not None, "is_solved comes first"  # noqa: S101
    return ChallengeRequired(challenge.task(), limit=limit, wait=wait)
