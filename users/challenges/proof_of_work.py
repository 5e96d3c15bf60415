"""A task for the client's processor, in the format of ALTCHA, version 2.

The client derives keys from 0, 1, 2, … until one begins as the task says. Every number
below COUNTERS is as likely as any other, so giving up on hard tasks for easier ones
does not pay. The task contains a signature of the whole key: it takes two HMACs to
check a solution, and nothing is stored until it is right.
"""

import secrets
import time
from typing import Any

from altcha import Payload, create_challenge, verify_solution
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from users.challenges import Challenge


class ProofOfWork(Challenge):
    template_name = "users/proof_of_work.html"
    # On average half of COUNTERS × ITERATIONS: 0.5 seconds of a desktop's processor,
    # 1 to 2 seconds of a phone's. A browser's own PBKDF2 is as fast as an attacker's.
    ITERATIONS = 2000
    COUNTERS = 2000
    TTL_SECONDS = 300

    def task(self) -> dict[str, Any]:
        challenge = create_challenge(
            algorithm="PBKDF2/SHA-256",
            cost=self.ITERATIONS,
            counter=secrets.randbelow(self.COUNTERS),
            expires_at=int(time.time()) + self.TTL_SECONDS,
            hmac_secret=_key("task", settings.SECRET_KEY),
            hmac_key_secret=_key("solution", settings.SECRET_KEY),
        )
        return {"kind": "proof_of_work", **challenge.to_dict()}

    def solved(self, solution: str) -> bool:
        result = verify_solution(
            solution,
            _key("task", settings.SECRET_KEY),
            hmac_key_secret=_key("solution", settings.SECRET_KEY),
        )
        if not result.verified:
            return False
        # By the task, not by the text of the solution, which can be written in many
        # ways. Twice as long as the task is valid, because servers' clocks differ.
        nonce = Payload.from_base64(solution).challenge.parameters.nonce
        return cache.add(f"challenge-solved:{nonce}", 1, 2 * self.TTL_SECONDS)


def _key(purpose: str, secret: str) -> bytes:
    mac = salted_hmac("users.challenges", purpose, secret, algorithm="sha256")
    return mac.digest()
