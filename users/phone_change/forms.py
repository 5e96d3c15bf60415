from django import forms
from django.utils.translation import gettext_lazy as _

from users.fields import PhoneNumberFormField
from users.login.forms import CodeFormField


class NewPhoneForm(forms.Form):
    phone_number = PhoneNumberFormField(
        label=_("New phone number"),
        widget=forms.TextInput(
            attrs={"type": "tel", "autocomplete": "off", "inputmode": "tel"}
        ),
    )


class PhoneChangeForm(forms.Form):
    old_code = CodeFormField(label=_("Code sent to your present number"))
    new_code = CodeFormField(label=_("Code sent to your new number"))
