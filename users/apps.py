from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("People")

    def ready(self) -> None:
        # Models can be imported only now.
        from users import signals  # noqa: PLC0415
        from users.statistics import daily_counts as daily  # noqa: PLC0415

        signals.signed_in.connect(daily.count_sign_in)


class StaffSiteConfig(AdminConfig):
    default_site = "users.staff.admin_site.StaffSite"
