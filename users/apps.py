from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("People")

    def ready(self) -> None:
        # They register themselves. Some need the models, which are loaded only now.
        from referrals.services import after_activation  # noqa: PLC0415
        from users.challenges import checks as challenge_checks  # noqa: F401, PLC0415
        from users.channels import checks as channel_checks  # noqa: F401, PLC0415
        from users.devices import checks as device_checks  # noqa: F401, PLC0415
        from users.devices import openapi  # noqa: F401, PLC0415
        from users.login import checks as login_checks  # noqa: F401, PLC0415
        from users.mail import checks as mail_checks  # noqa: F401, PLC0415
        from users.mail.notices import notify_inviter  # noqa: PLC0415
        from users.staff import checks as staff_checks  # noqa: F401, PLC0415
        from users.terms import checks as terms_checks  # noqa: F401, PLC0415

        after_activation.append(notify_inviter)


class StaffSiteConfig(AdminConfig):
    default_site = "users.staff.admin_site.StaffSite"
