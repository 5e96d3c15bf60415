from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from webhooks import services
from webhooks.models import Endpoint, Event, EventQuerySet

if TYPE_CHECKING:
    EventModelAdmin = admin.ModelAdmin[Event]
else:
    EventModelAdmin = admin.ModelAdmin


@admin.register(Event)
class EventAdmin(EventModelAdmin):
    """Read-only, except for the action that retries events."""

    list_display = ["type", "state", "attempts", "last_error", "created_at", "due_at"]
    fields = [
        "id",
        "type",
        "data",
        "state",
        "attempts",
        "last_error",
        "created_at",
        "due_at",
        "delivered_at",
        "given_up_at",
    ]
    list_filter = [
        ("delivered_at", admin.EmptyFieldListFilter),
        ("given_up_at", admin.EmptyFieldListFilter),
    ]
    ordering = ["-created_at"]
    show_full_result_count = False
    actions = ["retry"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and Endpoint.objects.current().stopped().exists():
            text = _(
                "Nothing is being sent: the receiver answered 410 Gone or asked to "
                "wait. “Resend undelivered events” resumes sending."
            )
            self.message_user(request, text, messages.WARNING)
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("state"))
    def state(self, event: Event) -> str:
        if event.delivered_at:
            return gettext("delivered")
        return gettext("given up") if event.given_up_at else gettext("waiting")

    @admin.action(description=_("Resend undelivered events"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: EventQuerySet) -> None:
        services.resume()
        number = services.retry(queryset)
        text = ngettext(
            "%(number)d event will be sent again.",
            "%(number)d events will be sent again.",
            number,
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_event")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
