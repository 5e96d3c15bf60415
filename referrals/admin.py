from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from referrals.codes import normalize_invite_code
from referrals.models import Referral

if TYPE_CHECKING:
    ReferralModelAdmin = admin.ModelAdmin[Referral]
else:
    ReferralModelAdmin = admin.ModelAdmin


@admin.register(Referral)
class ReferralAdmin(ReferralModelAdmin):
    """Read-only: the ledger has one writer, `referrals.services`."""

    list_display = ["invitee_name", "inviter_name", "code_used", "created_at"]
    fields = ["invitee_name", "inviter_name", "code_used", "created_at"]
    list_select_related = ["invitee", "inviter"]
    list_filter = ["created_at"]
    search_fields = ["code_used"]  # shows the box; get_search_results reads it
    search_help_text = _("A whole phone number in any spelling, or an invite code.")
    ordering = ["-created_at", "-invitee_id"]
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Referral], search_term: str
    ) -> tuple[QuerySet[Referral], bool]:
        if not search_term.strip():
            return queryset, False
        found = Q(code_used=normalize_invite_code(search_term) or "")
        users = get_user_model()
        name = users.USERNAME_FIELD
        column = users._meta.get_field(name)
        try:
            # The user model's own field knows how its names are spelled.
            username = column.to_python(search_term)  # type: ignore[union-attr]
        except ValidationError:
            pass
        else:
            found |= Q(**{f"invitee__{name}": username})
            found |= Q(**{f"inviter__{name}": username})
        return queryset.filter(found), False

    @admin.display(description=_("invitee"))
    def invitee_name(self, referral: Referral) -> str:
        return referral.invitee.get_username()

    @admin.display(description=_("inviter"))
    def inviter_name(self, referral: Referral) -> str:
        return referral.inviter.get_username() if referral.inviter else "-"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
