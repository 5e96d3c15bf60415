import re
from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from config.characters import with_ascii_digits, without_invisible
from users.models import User

if TYPE_CHECKING:
    UserModelForm = forms.ModelForm[User]
else:  # takes no type arguments at run time
    UserModelForm = forms.ModelForm


class ProfileForm(UserModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]
        widgets = {
            "first_name": forms.TextInput(
                attrs={"autocomplete": "given-name", "dir": "auto"}
            ),
            "last_name": forms.TextInput(
                attrs={"autocomplete": "family-name", "dir": "auto"}
            ),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }


class DeleteAccountForm(forms.Form):
    """Asks for the last four digits, so that no slip deletes an account."""

    last_digits = forms.CharField(
        label=_("Last 4 digits of your number"),
        max_length=50,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as it came
        self._user = user

    def clean_last_digits(self) -> str:
        typed = without_invisible(self.cleaned_data["last_digits"])
        digits = re.sub(r"[\s-]", "", with_ascii_digits(typed))
        if digits != self._user.phone_number[-4:]:
            raise ValidationError(_("These are not the last 4 digits of your number."))
        return digits
