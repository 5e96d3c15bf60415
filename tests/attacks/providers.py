"""SMS providers as an attack needs them: silent, mistaken."""

from users.sms import Sms, SmsBackend


class Silent(SmsBackend):
    """Accepts every message and prints nothing, so a log shows what we write to it."""

    simulated = True

    def send(self, sms: Sms) -> None:
        pass


class Mistaken(SmsBackend):
    simulated = True

    def send(self, sms: Sms) -> None:
        raise ConnectionError("502 Bad Gateway")
