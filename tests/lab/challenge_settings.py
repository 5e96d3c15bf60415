"""The service's settings, with every stranger past a soft limit."""

from config.settings import *  # noqa: F403
from config.settings import MIDDLEWARE

MIDDLEWARE = [*MIDDLEWARE, "tests.lab.challenge_middleware.PastASoftLimit"]
