"""A person's page for support staff: invitations, devices, limits and actions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.admin.csv_export import csv_response, in_chunks
from config.admin.large_tables import LongListAdmin
from config.monitoring import audit
from referrals.models import Referral
from referrals.statistics.bursts import bursts
from users.devices import services
from users.models import Device, User
from users.phones import PhoneNumber
from users.protection import may_change
from users.staff import second_factor, support
from users.staff.timeline import timeline

SHOWN = 20
BURST_DAYS = 30

Act = Callable[[HttpRequest, User], str]  # returns what was done, for people


def may_touch(request: HttpRequest, person: User | None) -> bool:
    """Only a superuser changes staff: others could take over their permissions."""
    return person is None or may_change(person, by=staff_of(request))


class SupportAdmin(LongListAdmin):
    change_form_template = "admin/users/person.html"

    def get_urls(self) -> list[URLPattern]:
        acts: list[tuple[str, str | None, Act]] = [
            ("unlock", "users.unlock_user", _unlock),
            ("reset-guesses", None, _reset_guesses),
            ("reset-second-factor", None, _reset_second_factor),
            ("sign-out", "users.delete_device", _sign_out),
            ("sign-out-everywhere", "users.delete_device", _sign_out_everywhere),
        ]
        own = [
            path(f"<int:pk>/{name}/", self._act(right, act), name=f"users_{name}")
            for name, right, act in acts
        ]
        export = path(
            "export/", self.admin_site.admin_view(self.export), name="users_user_export"
        )
        return [export, *own, *super().get_urls()]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: User | None = None,
    ) -> HttpResponse:
        if obj:
            context |= _panels(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("users.export_user")

    def export(self, request: HttpRequest) -> HttpResponseBase:
        return require_POST(self._export)(request)

    def _export(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        people = self.exported(request)
        audit.record("people.exported", by=request.user.pk)
        header = [
            *("id", "phone_number", "first_name", "last_name", "email", "invite_code"),
            *("activated_invite_code", "joined_at", "is_active"),
        ]
        rows = (
            [
                *(person.pk, person.phone_number, person.first_name, person.last_name),
                *(person.email, person.invite_code, person.activated_invite_code),
                *(person.date_joined, person.is_active),
            ]
            for person in in_chunks(people)
        )
        return csv_response("people", header, rows)

    def _act(self, right: str | None, act: Act) -> Any:
        """A POST that needs the permission `right`. None: for superusers only."""

        def view(request: HttpRequest, pk: int) -> HttpResponse:
            person = get_object_or_404(User, pk=pk)
            has_right = request.user.has_perm(right) if right else False
            if not (request.user.is_superuser or has_right):
                raise PermissionDenied
            if not may_touch(request, person):
                raise PermissionDenied
            done = act(request, person)
            self.log_change(request, person, done)
            messages.success(request, done)
            return redirect("admin:users_user_change", pk)

        return self.admin_site.admin_view(require_POST(view))


def _unlock(request: HttpRequest, person: User) -> str:
    support.unlock(person, by=staff_of(request))
    return _("The limits have been cleared.")


def _reset_guesses(request: HttpRequest, person: User) -> str:
    support.reset_guesses(person, by=staff_of(request))
    return _("The wrong guesses have been forgotten.")


def _reset_second_factor(request: HttpRequest, person: User) -> str:
    if second_factor.remove(person):
        return _("The second step has been removed.")
    return _("There was no second step.")


def _sign_out(request: HttpRequest, person: User) -> str:
    device = request.POST.get("device", "")
    pk = int(device) if device.isdecimal() and len(device) < 19 else 0
    services.sign_out_device(user=person, device_id=pk)
    audit.record("signed_out_by_staff", user=person.pk, by=request.user.pk)
    return _("The device has been signed out.")


def _sign_out_everywhere(request: HttpRequest, person: User) -> str:
    services.sign_out_everywhere(person)
    audit.record("signed_out_by_staff", user=person.pk, by=request.user.pk)
    return _("All devices have been signed out.")


def staff_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  the admin site requires it
    return request.user


def _panels(request: HttpRequest, person: User) -> dict[str, Any]:
    staff = staff_of(request)
    devices = list(Device.objects.of_user(person).order_by("-pk")[: SHOWN + 1])
    rights = {
        "may_unlock": "users.unlock_user",
        "may_sign_out": "users.delete_device",
        "may_correct": "referrals.add_correction",
        "may_replace": "referrals.add_replacedinvitecode",
    }
    is_allowed = may_touch(request, person)
    return {
        "person": person,
        "state": support.login_state(person),
        "timeline": timeline(PhoneNumber(person.phone_number)),
        "chance_after_reset": 100 * support.chance_after_reset(),
        "invitations": _invitations(person),
        "invited": Referral.objects.of_inviter(person.pk)[:SHOWN],
        "devices": devices[:SHOWN],
        "has_more_devices": len(devices) > SHOWN,
        "shown": SHOWN,
        "can_verify_email": bool(settings.EMAIL_NOTICES and person.email),
        "terms_acceptances": person.terms_acceptances.order_by("-accepted_at")[:SHOWN],
        "replaced_codes": person.replaced_invite_codes.order_by("-created_at")[:SHOWN],
        "bursts": bursts(
            Referral.objects.filter(inviter_id=person.pk),
            timezone.now() - timedelta(days=BURST_DAYS),
        ),
        **{name: is_allowed and staff.has_perm(r) for name, r in rights.items()},
    }


def _invitations(person: User) -> list[Referral]:
    """The person's inviter, and the inviter's inviter, in one query."""
    mine = Referral.objects.select_related("inviter__activation__inviter")
    found = mine.filter(invitee_id=person.pk).first()
    if found is None:
        return []
    above = getattr(found.inviter, "activation", None) if found.inviter else None
    return [found, above] if above else [found]
