from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class MessageStorage(CookieStorage):
    """Under the prefix of our other cookies.

    Not in the session, as Django's default is: visitors have no session.
    """

    cookie_name = f"{settings.COOKIE_PREFIX}messages"
