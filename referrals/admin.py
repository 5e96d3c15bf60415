from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from config.admin.csv_export import csv_response, in_chunks
from config.admin.large_tables import LongListAdmin
from config.monitoring import audit
from referrals.invite_codes import normalize_invite_code
from referrals.models import Correction, Referral
from referrals.support import admin_pages
from referrals.support.search import person_named


class ReadOnly:
    """Read-only: `referrals.services` and `referrals.support` write the ledger."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Referral)
class ReferralAdmin(ReadOnly, LongListAdmin):
    change_list_template = "admin/exportable_list.html"
    change_form_template = "admin/referrals/referral.html"
    list_display = [
        "invitee_name",
        "inviter_name",
        "code_used",
        "came_by",
        "created_at",
    ]
    fields = ["invitee_name", "inviter_name", "code_used", "came_by", "created_at"]
    list_select_related = ["invitee", "inviter"]
    list_filter = ["created_at"]
    search_fields = ["code_used"]  # shows the search box
    search_help_text = _("A whole phone number or an invite code, in any format.")
    ordering = ["-created_at", "-invitee_id"]
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("export/", view(self.export), name="referrals_referral_export"),
            path("why/", view(admin_pages.why), name="referrals_why"),
            path(
                "<int:owner_id>/replace-code/",
                view(admin_pages.replace_code),
                name="referrals_replace_code",
            ),
            path(
                "<int:invitee_id>/correct/",
                view(admin_pages.correct),
                name="referrals_correct",
            ),
        ]
        return [*own, *super().get_urls()]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Referral | None = None,
    ) -> HttpResponse:
        if obj:
            inviter = obj.inviter
            context |= {
                "invitee_url": admin_pages.person_url(obj.invitee),
                "inviter_url": inviter and admin_pages.person_url(inviter),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Referral], search_term: str
    ) -> tuple[QuerySet[Referral], bool]:
        """Look up the people first: one OR over joined tables would read all rows."""
        if not search_term.strip():
            return queryset, False
        named = person_named(search_term)
        if named is None:
            return queryset.none(), False
        people = get_user_model()._default_manager.filter(named)
        found = Q(inviter=None, code_used=normalize_invite_code(search_term) or "")
        for pk in people.values_list("pk", flat=True):
            found |= Q(invitee_id=pk) | Q(inviter_id=pk)
        return queryset.filter(found), False

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("referrals.export_referral")

    def export(self, request: HttpRequest) -> HttpResponseBase:
        return require_POST(self._export)(request)

    def _export(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        rows = self.exported(request)
        audit.record("referrals.exported", by=request.user.pk)
        header = ["invitee", "inviter", "code_used", "activated_at", "came_by"]
        lines = (
            [
                referral.invitee.get_username(),
                referral.inviter.get_username() if referral.inviter else "",
                referral.code_used,
                referral.created_at,
                referral.came_by or "",
            ]
            for referral in in_chunks(rows)
        )
        return csv_response("referrals", header, lines)

    @admin.display(description=_("invited person"))
    def invitee_name(self, referral: Referral) -> str:
        return referral.invitee.get_username()

    @admin.display(description=_("inviter"))
    def inviter_name(self, referral: Referral) -> str:
        return referral.inviter.get_username() if referral.inviter else "-"


@admin.register(Correction)
class CorrectionAdmin(ReadOnly, LongListAdmin):
    """What was corrected, by whom and why. Read-only."""

    change_form_template = "admin/referrals/correction.html"
    list_display = [
        "created_at",
        "invitee",
        "code_before",
        "code_after",
        "reason",
        "by",
    ]
    list_select_related = ["invitee", "by"]
    ordering = ["-pk"]
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        revert = path(
            "<int:pk>/revert/",
            self.admin_site.admin_view(admin_pages.revert),
            name="referrals_revert",
        )
        return [revert, *super().get_urls()]
