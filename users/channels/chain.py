from django.conf import settings
from django.utils.module_loading import import_string

from users.channels import Backend, CodeMessage


class ChainBackend(Backend):
    """Stands for the backends in SMS_CHAIN, which `sending` asks in turn."""

    def send(self, message: CodeMessage) -> None:
        raise NotImplementedError

    @classmethod
    def problems(cls) -> list[str]:
        if len(settings.SMS_CHAIN) < 2:
            return ["SMS_CHAIN must list two backends or more for the chain."]
        found, sends = [], {}
        for path in settings.SMS_CHAIN:
            try:
                backend = import_string(path)
            except ImportError as error:
                found.append(f"SMS_CHAIN: {error}.")
                continue
            sends[path] = backend is not cls and not backend.simulated
            found += [] if backend is cls else backend.problems()
            if backend is cls:
                found.append(f"SMS_CHAIN: {path} sends nothing itself.")
        if any(sends.values()):
            found += [
                f"SMS_CHAIN: {path} sends nothing itself."
                for path, is_real in sends.items()
                if not is_real
            ]
        return list(dict.fromkeys(found))
