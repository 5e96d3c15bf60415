from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from users.fields import HELP, PhoneNumberFormField, PhoneNumberInput
from users.login.digits import MAX_INPUT_LENGTH, InvalidDigits, normalize_digits


class PhoneForm(forms.Form):
    phone_number = PhoneNumberFormField(
        label=_("Phone number"),
        help_text=HELP,
        widget=PhoneNumberInput(attrs={"autocomplete": "tel", "autofocus": True}),
    )


class CodeFormField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "one-time-code"}
        widget = forms.TextInput(attrs=attrs)
        super().__init__(max_length=MAX_INPUT_LENGTH, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        try:
            return normalize_digits(super().clean(value))
        except InvalidDigits:
            text = _("Enter the digits of the code.")
            raise ValidationError(text, code="invalid") from None


class CodeForm(forms.Form):
    code = CodeFormField(label=_("Code from the SMS"))
