"""Texts of Django's admin site that this project translates itself.

Django's Russian puts the name of a model into a sentence, in the wrong case. The list
only makes `makemessages` collect the texts: a translation in this project's `locale`
comes before Django's.
"""

from django.utils.translation import gettext_noop

TITLES = [
    gettext_noop("Add %s"),
    gettext_noop("Add %(name)s"),
    gettext_noop("Change %s"),
    gettext_noop("View %s"),
    gettext_noop(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? '
        "All of the following related items will be deleted:"
    ),
]
