from typing import Any

from django.utils.translation import gettext_lazy as _

from config.api.fields import TextField
from referrals.exceptions import InviteCodeUnknown
from referrals.invite_codes import MAX_INPUT_LENGTH, normalize_invite_code


class InviteCodeField(TextField):
    """Accepts an invite code in any spelling or a share link; returns the code."""

    default_error_messages = {InviteCodeUnknown.code: InviteCodeUnknown.text}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text",
            _(
                "Another person's invite code, in any format, their share link, or "
                "a text with one of these: `7K9QXT`, `7k9-qxt`, `Code: 7K9QXT`."
            ),
        )
        super().__init__(max_length=MAX_INPUT_LENGTH, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not text:
            return None  # allowed where the code is optional
        code = normalize_invite_code(text)
        if code is None:
            self.fail(InviteCodeUnknown.code)
        return code
