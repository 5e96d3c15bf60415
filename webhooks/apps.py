from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        # They register themselves. `metrics` needs the models.
        from webhooks import checks, metrics  # noqa: F401, PLC0415
