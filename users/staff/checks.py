from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register()
def admin_site_asks_for_a_second_factor(**kwargs: Any) -> list[CheckMessage]:
    if settings.ADMIN_SECOND_FACTOR or settings.DEBUG:
        return []
    text = "ADMIN_SECOND_FACTOR is off: a password alone opens the admin site."
    return [Warning(text, id="config.W005")]
