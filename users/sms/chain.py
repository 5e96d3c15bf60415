"""One backend after the other, as SMS_CHAIN lists them, until one accepts.

The next has its turn only when the one before has surely not sent the message.
"""

from dataclasses import replace

from django.conf import settings
from django.utils.module_loading import import_string

from users.sms import Sms, SmsBackend
from users.sms.exceptions import SmsUnavailable, SmsUnsure


class ChainBackend(SmsBackend):
    @classmethod
    def problems(cls) -> list[str]:
        if len(settings.SMS_CHAIN) < 2:
            return ["SMS_CHAIN must list two backends or more for the chain."]
        found = []
        for path in settings.SMS_CHAIN:
            try:
                backend = import_string(path)
            except ImportError as error:
                found.append(f"SMS_CHAIN: {error}.")
                continue
            if backend.simulated or backend is cls:
                found.append(f"SMS_CHAIN: {path} sends nothing itself.")
            else:
                found += backend.problems()
        return found

    def send(self, sms: Sms) -> None:
        for path in self._turns(sms):
            is_its_own = sms.tried is not None and sms.tried.by == path
            try:
                import_string(path)().send(
                    sms if is_its_own else replace(sms, tried=None)
                )
            except SmsUnsure as unsure:
                unsure.by = path
                raise
            except SmsUnavailable:
                continue
            return
        raise SmsUnavailable

    def _turns(self, sms: Sms) -> list[str]:
        """Who may have sent it comes first: nobody else can find out whether it has."""
        paths: list[str] = settings.SMS_CHAIN
        if sms.tried is None:
            return paths
        first = [path for path in paths if path == sms.tried.by]
        if sms.tried.seconds_to_repeat:
            return first
        return [*first, *(path for path in paths if path not in first)]
