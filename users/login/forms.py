import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from users.fields import PhoneNumberFormField
from users.models import User

if TYPE_CHECKING:
    UserModelForm = forms.ModelForm[User]
else:  # takes no type arguments at run time
    UserModelForm = forms.ModelForm


class PhoneForm(forms.Form):
    phone_number = PhoneNumberFormField(
        label=_("Phone number"),
        widget=forms.TextInput(
            attrs={
                "type": "tel",
                "autocomplete": "tel",
                "inputmode": "tel",
                "autofocus": True,
            }
        ),
    )


class CodeFormField(forms.CharField):
    """The digits of a login code; spaces and dashes are dropped."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "one-time-code"}
        super().__init__(max_length=20, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        digits = re.sub(r"[\s-]", "", super().clean(value))
        if not re.fullmatch(r"[0-9]{4,8}", digits):
            raise ValidationError(_("Enter the digits of the code."), code="invalid")
        return digits


class CodeForm(forms.Form):
    code = CodeFormField(label=_("Code from the SMS"))
