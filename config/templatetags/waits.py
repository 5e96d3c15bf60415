from django import template

from config.waits import clock

register = template.Library()
register.filter("clock", clock)
