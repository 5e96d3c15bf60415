from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from config.refusals import NotFound
from config.time_zones import in_zone_of_reader
from users.devices import services
from users.devices.middleware import SESSION_KEY, sign_out_session_device
from users.devices.pagination import DevicePagination
from users.models import Device, User
from users.requests import SignedInPageRequest


@login_required
@require_safe
@in_zone_of_reader
def devices_page(request: SignedInPageRequest) -> HttpResponse:
    pagination = DevicePagination()
    devices = Device.objects.of_user(request.user)
    context = {
        "devices": pagination.paginate_queryset(devices, Request(request)),
        "current_id": request.session.get(SESSION_KEY),
        "newer_url": pagination.get_previous_link(),
        "older_url": pagination.get_next_link(),
    }
    return render(request, "users/devices.html", context)


def sign_out_page(request: HttpRequest, device_id: int) -> HttpResponse:
    """Signs out on POST. A GET, by a link, is redirected to the list."""
    if request.method != "POST" or not isinstance(request.user, User):
        return redirect("devices")
    try:
        services.sign_out_device(user=request.user, device_id=device_id)
    except NotFound:
        return redirect("devices")  # already signed out: a double click, an old tab
    if device_id == request.session.get(SESSION_KEY):
        logout(request)
        messages.success(request, _("You have been signed out."))
        return redirect("front")
    messages.success(request, _("The device has been signed out."))
    return redirect("devices")


def logout_page(request: HttpRequest) -> HttpResponse:
    """Signs out on POST. A GET, by a link, is redirected to the front page."""
    if request.method == "POST":
        sign_out_session_device(request)
        logout(request)
        messages.success(request, _("You have been signed out."))
    return redirect("front")


def logout_everywhere_page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST" and isinstance(request.user, User):
        services.sign_out_everywhere(request.user)
        logout(request)
        messages.success(request, _("You have been signed out on all your devices."))
    return redirect("front")
