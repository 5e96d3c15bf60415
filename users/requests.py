"""Types for requests of signed-in users; authentication is checked before the view."""

from django.http import HttpRequest
from rest_framework.request import Request

from users.models import Device, User


class SignedInRequest(Request):
    """A request to an API view with the default permission, IsAuthenticated."""

    user: User
    auth: Device


class SignedInPageRequest(HttpRequest):
    """A request to a page behind `login_required`."""

    user: User
