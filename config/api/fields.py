from typing import Any

from django.core.validators import MaxLengthValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class TextField(serializers.CharField):
    """DRF's own takes numbers for text, too; what the schema calls a string is one."""

    default_error_messages = {"invalid": _("Send this as text.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for validator in self.validators:
            if isinstance(validator, MaxLengthValidator):
                # DRF translates this once and keeps the text. A shared serializer
                # would then answer all in the language of the first client.
                text = self.error_messages["max_length"]
                validator.message = format_lazy(text, max_length=self.max_length)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
