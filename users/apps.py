from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("People")

    def ready(self) -> None:
        from users import daily, signals  # noqa: PLC0415  models are there only now

        signals.signed_in.connect(daily.count_sign_in)


class StaffSiteConfig(AdminConfig):
    default_site = "users.admin_site.StaffSite"
