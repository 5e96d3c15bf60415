from django import template
from django.conf import settings
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def brand() -> str:
    """What the service is called on its pages."""
    return settings.BRAND_NAME or _("Referral")
