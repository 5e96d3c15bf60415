"""The old name of `users.channels`, for backends that were written for it."""

import sys

from users.channels import Attempt, Backend, CodeMessage, exceptions, http

__all__ = ["Attempt", "Sms", "SmsBackend"]

Sms, SmsBackend = CodeMessage, Backend
sys.modules[f"{__name__}.exceptions"] = exceptions
sys.modules[f"{__name__}.http"] = http
