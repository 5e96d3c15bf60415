from django import forms
from django.utils.translation import gettext_lazy as _

from users.fields import HELP, PhoneNumberFormField, PhoneNumberInput
from users.login.forms import CodeFormField


class NewPhoneForm(forms.Form):
    phone_number = PhoneNumberFormField(
        label=_("New phone number"),
        help_text=HELP,
        widget=PhoneNumberInput(attrs={"autocomplete": "off"}),
    )


class PhoneChangeForm(forms.Form):
    old_code = CodeFormField(label=_("Code sent to your current number"))
    new_code = CodeFormField(label=_("Code sent to your new number"))
