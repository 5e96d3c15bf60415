from django import template

from users.phones import spell_phone_number

register = template.Library()
register.filter("spell_phone_number", spell_phone_number)
