"""SMS backends for attacks: one prints nothing, one has a bug."""

from users.sms import Sms, SmsBackend


class Silent(SmsBackend):
    """Accepts every message and prints nothing, so no SMS text is in the log."""

    simulated = True

    def send(self, sms: Sms) -> None:
        pass


class Mistaken(SmsBackend):
    simulated = True

    def send(self, sms: Sms) -> None:
        raise ConnectionError("502 Bad Gateway")
