from typing import Any

from django.contrib.auth.backends import ModelBackend

BY_PASSWORD = "django.contrib.auth.backends.ModelBackend"  # noqa: S105  a path


class CodeBackend(ModelBackend):
    """Marks sessions that were opened with an SMS code, which was checked before."""

    def authenticate(self, *args: Any, **kwargs: Any) -> None:
        return None
