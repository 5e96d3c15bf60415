from django.db import models
from django.utils.translation import gettext_lazy as _


class CameBy(models.TextChoices):
    """How an invite code reached the service. The values are stored, and in exports."""

    LINK = "link", _("link")
    QR_CODE = "qr", _("QR code")
    TYPED = "typed", _("typed")
    API = "api", _("app (API)")


def read_came_by(text: str | None, default: CameBy) -> CameBy:
    """What a page's form or link says. Anybody can change it: it is for statistics."""
    return (
        CameBy(text) if text in (CameBy.LINK, CameBy.QR_CODE, CameBy.TYPED) else default
    )
