from django.apps import AppConfig
from django.conf import settings


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415  registers the checks

        if settings.SENTRY_DSN:
            from config.monitoring import sentry  # noqa: PLC0415  costs memory

            sentry.start()
