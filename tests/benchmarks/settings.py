"""The service's settings, with a bare view for comparison and a query counter."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, MIDDLEWARE

ROOT_URLCONF = "tests.benchmarks.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "tests.benchmarks"]  # for its commands
MIDDLEWARE = ["tests.benchmarks.middleware.QueryCountMiddleware", *MIDDLEWARE]
