from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from referrals.invite_codes import LENGTHS, MAX_INPUT_LENGTH
from referrals.support.search import person_named


class PersonField(forms.CharField):
    """Accepts a number or an invite code. Returns its owner; None: empty or nobody."""

    default_error_messages = {
        "invalid": _("This is neither a number nor an invite code.")
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        super().__init__(max_length=MAX_INPUT_LENGTH, **kwargs)

    def clean(self, value: Any) -> AbstractBaseUser | None:
        text = super().clean(value)
        if text in self.empty_values:
            return None
        named = person_named(text)
        if named is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        people = get_user_model()._default_manager
        return people.filter(named).select_related("activation__inviter").first()


class ExplanationForm(forms.Form):
    invitee = PersonField(label=_("Who was invited (number or code)"))
    inviter = PersonField(label=_("Who invited (number or code)"))


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Who asked, and what proves it. This stays on record."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CorrectionForm(ReasonForm):
    inviter = PersonField(
        label=_("New inviter (number or code)"),
        required=False,
        help_text=_("Empty: nobody invited this person."),
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=40)
    field_order = ["inviter", "reason", "seen"]

    def clean_inviter(self) -> AbstractBaseUser | None:
        inviter: AbstractBaseUser | None = self.cleaned_data["inviter"]
        if inviter is None and self.data.get("inviter", "").strip():
            raise ValidationError(_("Nobody has this number or code."))
        return inviter


class ReplacementForm(ReasonForm):
    old_code = forms.ChoiceField(
        label=_("The old code"),
        choices=[
            ("", "---------"),
            ("refused", _("is refused from now on")),
            ("honoured", _("still works")),
        ],
        help_text=_("Refuse it if the code leaked or is misused."),
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=LENGTHS[-1])
    field_order = ["old_code", "reason", "seen"]
