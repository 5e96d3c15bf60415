"""Requests of signed-in people, typed: authentication is checked before the view."""

from django.http import HttpRequest
from rest_framework.request import Request

from users.models import Device, User


class SignedInRequest(Request):
    """To an API view that keeps the default permission, IsAuthenticated."""

    user: User
    auth: Device


class SignedInPageRequest(HttpRequest):
    """To a page behind `login_required`."""

    user: User
