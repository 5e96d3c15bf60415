"""A phone number field for models, forms and serializers.

All three read any spelling, with `normalize_phone_number`.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.api.fields import TextField
from users.exceptions import PhoneNumberInvalid
from users.phones import (
    MAX_INPUT_LENGTH,
    MAX_LENGTH,
    NotAPhoneNumber,
    normalize_phone_number,
)

INVALID = PhoneNumberInvalid.code
INVALID_MESSAGE = PhoneNumberInvalid.text


if TYPE_CHECKING:
    TextColumn = models.CharField[str, str]
else:  # takes no type arguments at run time
    TextColumn = models.CharField


class PhoneNumberFormField(forms.CharField):
    default_error_messages = {INVALID: INVALID_MESSAGE}

    def __init__(self, **kwargs: Any) -> None:
        kwargs["max_length"] = MAX_INPUT_LENGTH
        kwargs.setdefault("widget", forms.TextInput(attrs={"type": "tel"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if text in self.empty_values:
            return text
        try:
            return normalize_phone_number(text)
        except NotAPhoneNumber:
            raise ValidationError(INVALID_MESSAGE, code=INVALID) from None


class PhoneNumberField(TextColumn):
    """Cleaning (forms, `full_clean`, `createsuperuser`) reads any spelling.

    Saving and filtering expect E.164: they happen often, and parsing costs time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = MAX_LENGTH
        super().__init__(*args, **kwargs)

    def clean(self, value: Any, model_instance: Any) -> Any:
        if value not in self.empty_values:
            try:
                value = normalize_phone_number(str(value))
            except NotAPhoneNumber:
                raise ValidationError(INVALID_MESSAGE, code=INVALID) from None
        return super().clean(value, model_instance)

    def deconstruct(self) -> Any:
        # Migrations describe the column and import none of our code.
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PhoneNumberFormField, **kwargs})


class PhoneNumberSerializerField(TextField):
    default_error_messages = {INVALID: INVALID_MESSAGE}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("In any spelling; answered in E.164."))
        super().__init__(max_length=MAX_INPUT_LENGTH, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_phone_number(super().to_internal_value(data))
        except NotAPhoneNumber:
            self.fail(INVALID)
