"""Providers that send at most one message for a key: requests can be repeated."""

from abc import abstractmethod

from users.channels import Backend, CodeMessage
from users.channels.exceptions import MessageRefused, SmsUnavailable, SmsUnsure
from users.channels.http import Answer, NoAnswer, NotSent


class IdempotentBackend(Backend):
    def send(self, message: CodeMessage) -> str | None:
        may_be_sent = False
        for share in (0.5, 1):
            try:
                answer = self.ask(message, seconds=message.seconds_left * share)
            except NotSent as error:
                self.warn(message, f"cannot be reached: {error}")
                continue
            except NoAnswer as error:
                self.warn(message, f"gave no answer: {error}")
                may_be_sent = True
                continue
            try:
                if self.is_accepted(message, answer):
                    return self.id_in(answer)
            except (SmsUnavailable, MessageRefused) as refusal:
                # Other digits are those of the first request, too: the key is the same.
                is_of_both = getattr(refusal, "is_billed", False)
                if is_of_both or not may_be_sent:
                    raise
                break  # only the repeat was refused
            may_be_sent = True
        if may_be_sent:
            raise SmsUnsure(is_new=message.tried is None)
        raise SmsUnavailable

    @abstractmethod
    def ask(self, message: CodeMessage, *, seconds: float) -> Answer:
        """Request the message, with `message.key`. Raises NotSent and NoAnswer."""

    @abstractmethod
    def is_accepted(self, message: CodeMessage, answer: Answer) -> bool:
        """False if the answer is unclear: then the request is repeated.

        Raises SmsUnavailable or MessageRefused when the message was surely not sent.
        """

    def id_in(self, answer: Answer) -> str | None:
        """The provider's id of the message, if `ask_status` can ask about it."""
        return None

    @abstractmethod
    def warn(self, message: CodeMessage, what: str) -> None:
        """Log a warning, without the whole number and without the code."""
