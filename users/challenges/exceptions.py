from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from config.refusals import Fact, LimitReached, Refusal, Text


class ChallengeRequired(LimitReached):
    """A soft limit is reached: solve the task, or wait.

    A 429 like every other limit, and not a 403: a client that does not know this code
    waits as long as Retry-After says, and then gets its answer without a task.
    """

    code = "challenge_required"
    text = _("Solve the task first, then ask again.")
    fact_texts: ClassVar[Mapping[str, Text]] = {
        **LimitReached.fact_texts,
        "challenge": _(
            "The task. Send its solution as `challenge` with the next request. These "
            "are the members of a `proof_of_work`; other kinds may have others."
        ),
    }

    def __init__(self, task: dict[str, Any], *, limit: str, wait: int) -> None:
        super().__init__(limit=limit, wait=wait)
        self.task = task

    @property
    def facts(self) -> dict[str, Fact]:
        return {**super().facts, "challenge": self.task}

    @classmethod
    def sample(cls) -> Refusal:
        task = {
            "kind": "proof_of_work",
            "parameters": {
                "algorithm": "PBKDF2/SHA-256",
                "cost": 2000,
                "keyLength": 32,
                "keyPrefix": "f048a84f4bb59e3f3c46df8e0a55967b",
                "nonce": "bed3a41ddda1dbeaa696dc113f51cf14",
                "salt": "1b1529df4f0933342806aecd5f61fdec",
                "keySignature": "3d7a73c6e140b3e1faa2610f975083b9…",
                "expiresAt": 1795262700,
            },
            "signature": "70949ce70e83920f590e1fd7ba0ee5c9…",
        }
        return cls(task, limit="sends_per_address", wait=600)
