from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("People")


class StaffSiteConfig(AdminConfig):
    default_site = "users.admin_site.StaffSite"
