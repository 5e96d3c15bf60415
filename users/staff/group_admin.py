from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.admin.changed_columns import SavesChangedColumns
from users.staff.rights import NONE, RecordsRights, record_change, rights_of

# Their pages would show secrets. `second_factor` writes them.
admin.site.unregister([Group, StaticDevice, TOTPDevice])


@admin.register(Group)
class GroupAdmin(RecordsRights, SavesChangedColumns, DjangoGroupAdmin):
    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        record_change(obj, rights_of(obj), NONE)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        for group in queryset:
            self.delete_model(request, group)
