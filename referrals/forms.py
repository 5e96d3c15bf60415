from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from referrals.exceptions import InviteCodeUnknown
from referrals.invite_codes import MAX_INPUT_LENGTH, normalize_invite_code


class InviteCodeFormField(forms.CharField):
    """Accepts an invite code in any spelling or a share link; returns the code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_INPUT_LENGTH, **kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if text in self.empty_values:
            return text
        code = normalize_invite_code(text)
        if code is None:
            raise ValidationError(InviteCodeUnknown.text)
        return code


class InviteCodeForm(forms.Form):
    invite_code = InviteCodeFormField(
        label=_("Invite code or link"),
        widget=forms.TextInput(
            attrs={
                "autocapitalize": "characters",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )
