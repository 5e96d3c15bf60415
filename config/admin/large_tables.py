"""Lists of the admin site that stay quick over millions of rows."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

if TYPE_CHECKING:
    LongPaginator = Paginator[Any]
    LongModelAdmin = admin.ModelAdmin[Any]
else:
    LongPaginator = Paginator
    LongModelAdmin = admin.ModelAdmin

MOST_ROWS = 2_000


class BoundedPaginator(LongPaginator):
    """Counts no further than anybody leafs."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list[: MOST_ROWS + 1]
        return rows.count() if isinstance(rows, QuerySet) else len(rows)

    @property
    def is_cut(self) -> bool:
        return self.count > MOST_ROWS

    @cached_property
    def num_pages(self) -> int:
        return -(-max(min(self.count, MOST_ROWS), 1) // self.per_page)


class PageOfList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # All that the page shows, so that "select all" offers no million of rows.
        self.result_list = list(self.result_list)
        self.result_count = len(self.result_list)
        if not self.query:
            self.full_result_count = self.result_count  # nothing to say of a search


class LongListAdmin(LongModelAdmin):
    """Needs an index for `ordering`, each filter and each sortable column."""

    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_export_permission(self, request: HttpRequest) -> bool:
        return False

    def exported(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that the list's search and filters leave; raises BadRequest."""
        try:
            return self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            raise BadRequest from None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_export = self.has_export_permission(request)
        context = {"may_export": may_export, **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageOfList
