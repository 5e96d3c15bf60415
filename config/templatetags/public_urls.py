from typing import Any

from django import template

from config import public_url as urls

register = template.Library()


@register.simple_tag(takes_context=True)
def public_url(context: dict[str, Any], path: str) -> str:
    return urls.public_url(context["request"], path)
