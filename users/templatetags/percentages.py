from django import template

register = template.Library()


@register.filter
def percent(fraction: float) -> float:
    """0.125 is shown as 12.5."""
    return fraction * 100
