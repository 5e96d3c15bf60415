"""Phone numbers, names and e-mail addresses in models, forms and serializers.

The fields of phone numbers read any spelling, with `normalize_phone_number`. Those of
names and e-mail addresses remove invisible characters.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.api.fields import TextField
from config.characters import tidy_email, tidy_name
from users.exceptions import PhoneNumberInvalid
from users.phones import (
    MAX_INPUT_LENGTH,
    MAX_LENGTH,
    HasExtension,
    NotAPhoneNumber,
    example_number,
    normalize_phone_number,
    typing_formats,
)

HELP = _(
    "In any format. You can always start with + and the country code; start a number "
    "from abroad like this."
)
INVALID = PhoneNumberInvalid.code
INVALID_MESSAGE = PhoneNumberInvalid.text
EXTENSION_MESSAGE = _(
    "An SMS cannot reach an extension. If it is a mobile number, enter it without the "
    "extension."
)


if TYPE_CHECKING:
    TextColumn = models.CharField[str, str]
    EmailColumn = models.EmailField[str, str]
else:  # takes no type arguments at run time
    TextColumn = models.CharField
    EmailColumn = models.EmailField


class PhoneNumberInput(forms.TextInput):
    """With an example. A script of the pages formats the number while it is typed."""

    input_type = "tel"

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attrs = {
            "inputmode": "tel",
            "placeholder": example_number(),
            "data-formats": "|".join(typing_formats()),
        }
        return attrs | super().build_attrs(base_attrs, extra_attrs)


class PhoneNumberFormField(forms.CharField):
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
        except NotAPhoneNumber as refusal:
            raise ValidationError(_message(refusal), code=INVALID) from None


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
            except NotAPhoneNumber as refusal:
                raise ValidationError(_message(refusal), code=INVALID) from None
        return super().clean(value, model_instance)

    def deconstruct(self) -> Any:
        # Migrations describe the column and import none of our code.
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PhoneNumberFormField, **kwargs})


class PhoneNumberSerializerField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        text = _(
            "In any format, such as `+7 999 123-45-67`, `8 (999) 123-45-67`, "
            "`007 999 1234567` or `tel:+79991234567`; returned in E.164. Letters and "
            "extensions are refused."
        )
        kwargs.setdefault("help_text", text)
        super().__init__(max_length=MAX_INPUT_LENGTH, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_phone_number(super().to_internal_value(data))
        except NotAPhoneNumber as refusal:
            raise serializers.ValidationError(_message(refusal), code=INVALID) from None


class NameFormField(forms.CharField):
    def to_python(self, value: Any) -> str:
        return super().to_python(tidy_name(value) if value else value) or ""


class NameField(TextColumn):
    """Without control characters and invisible ones that change the text around it."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": NameFormField, **kwargs})


class NameSerializerField(TextField):
    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        # As sent, because the schema promises the limit of the column.
        if self.max_length and len(text) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return tidy_name(text)


def is_disguised(email: str) -> bool:
    """Whether a valid address is written so that it is read as another one.

    Those who send e-mail take away quotation marks, decode encoded words (RFC 2047) and
    connect to an address in brackets. So one mailbox would have any number of
    spellings, each with limits of its own. Browsers refuse nearly all of them, too.
    """
    local_part, _at, domain = email.rpartition("@")
    return (
        not local_part.isascii()
        or '"' in local_part
        or "=?" in local_part
        or domain.startswith("[")
    )


class EmailFormField(forms.EmailField):
    def to_python(self, value: Any) -> str:
        return super().to_python(tidy_email(value) if value else value) or ""

    def clean(self, value: Any) -> Any:
        email = super().clean(value)
        if is_disguised(email):
            raise ValidationError(EmailValidator.message, code="invalid")
        return email


class EmailField(EmailColumn):
    """Without invisible characters, which are pasted along with addresses."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": EmailFormField, **kwargs})


class EmailSerializerField(serializers.EmailField):
    def run_validation(self, data: Any = serializers.empty) -> Any:
        email = super().run_validation(
            tidy_email(data) if isinstance(data, str) else data
        )
        if is_disguised(email):
            self.fail("invalid")
        return email


def _message(refusal: NotAPhoneNumber) -> Any:
    if isinstance(refusal, HasExtension):
        return EXTENSION_MESSAGE
    return INVALID_MESSAGE
