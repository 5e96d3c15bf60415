from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, login, logout
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.server.page_middleware import for_pages
from users.authentication import BY_PASSWORD
from users.devices.services import sign_out
from users.devices.token_authentication import issue_token, renew_device
from users.models import Device, DeviceQuerySet, User

# The session stores these of the device; browsers never receive its token.
SESSION_KEY = "device_id"  # primary key
RANDOM_ID_KEY = "device_random_id"
BACKEND_KEY = "device_backend"  # how the person signed in: by code or by password


@for_pages
class SessionMiddleware(sessions.SessionMiddleware):
    """Deletes the browser's session cookie only when somebody signs out.

    Django also deletes it when the request brought one of an unknown session. If a form
    is sent twice, the second answer would delete the cookie that the first has set.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        is_deleted = cookie is not None and not cookie.value
        if is_deleted and not getattr(request.session, "was_ended", False):
            del response.cookies[settings.SESSION_COOKIE_NAME]
        return response


@for_pages
class DeviceMiddleware:
    """Sign a browser out when its device has been signed out.

    Each browser session belongs to a Device. When the device ends (signed out
    elsewhere, account closed), the session ends at its next request.

    A session that staff have opened with a password has a device of its own, which ends
    after ADMIN_SESSION_HOURS, even if it is used: see `open_admin_session`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_probe = request.path_info[1:] in settings.PROBE_PATHS
        if is_probe or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        self._check_device(request)
        # Nobody has signed out here. Another request may just have signed in: keep
        # the cookie that its answer sets.
        request.session.was_ended = False  # type: ignore[attr-defined]
        return self.get_response(request)

    def _check_device(self, request: HttpRequest) -> None:
        user = request.user
        if not isinstance(user, User):
            return
        session = request.session
        is_by_password = session.get(BACKEND_SESSION_KEY) == BY_PASSWORD
        device = session_devices(request).live().filter(user=user).first()
        # A session that was opened with a code, or by a version without
        # ADMIN_SESSION_HOURS, has a device that lives longer than staff may stay.
        lives_too_long = is_by_password and session.get(BACKEND_KEY) != BY_PASSWORD
        if device is None or lives_too_long:
            logout(request)
        elif not is_by_password and renew_device(device):
            session.modified = True  # send the session cookie again, too


def open_admin_session(request: HttpRequest, user: User) -> None:
    """Sign in somebody whose password and second factor were right.

    The session gets its device at once: without one, nothing could sign it out before
    it is used for the first time.
    """
    # The browser may have been signed in with a code. That device would stay signed in.
    sign_out_session_device(request)
    login(request, user, backend=BY_PASSWORD)
    device, _token = issue_token(
        user=user,
        user_agent=request.headers.get("User-Agent", ""),
        latest_expiry=timezone.now() + timedelta(hours=settings.ADMIN_SESSION_HOURS),
    )
    bind_session_to_device(request, device)


def bind_session_to_device(request: HttpRequest, device: Device) -> None:
    """To be called after `login`."""
    request.session[SESSION_KEY] = device.pk
    request.session[RANDOM_ID_KEY] = device.random_id and device.random_id.hex
    request.session[BACKEND_KEY] = request.session[BACKEND_SESSION_KEY]


def session_devices(request: HttpRequest) -> DeviceQuerySet:
    """The session's device, or nothing.

    Sessions from the time before devices had random ids contain the primary key only.
    They are valid for the devices of that time, which have no random id.
    """
    session = request.session
    if SESSION_KEY not in session:
        return Device.objects.none()
    return Device.objects.filter(
        pk=session[SESSION_KEY], random_id=session.get(RANDOM_ID_KEY)
    )


def sign_out_session_device(request: HttpRequest) -> None:
    """End the session's device. The caller ends the session itself."""
    if device := session_devices(request).first():
        sign_out(device)
