import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.checks import check_before_serving  # noqa: E402  needs the apps
from config.server.application import Application  # noqa: E402  needs the settings

application = Application()

check_before_serving()
