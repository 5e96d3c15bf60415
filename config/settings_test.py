"""The real settings under test values; DATABASE_URL and REDIS_URL come from outside."""

import os

os.environ["ENV_FILE"] = os.devnull
os.environ["DEBUG"] = "on"
os.environ["SMS_BACKEND"] = "users.channels.memory.MemoryBackend"
os.environ["SMS_SIMULATED_DELAY"] = "0"

from config.settings import *  # noqa: F403
from config.settings import (
    CACHES,
    DATABASE_IS_EMBEDDED,
    DATABASES,
    INSTALLED_APPS,
)

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Test processes that share one Redis must not see each other's keys.
CACHES["default"]["KEY_PREFIX"] = os.environ.get("PYTEST_XDIST_WORKER", "main")
if not DATABASE_IS_EMBEDDED:
    # Races make threads wait for each other while each holds a connection.
    DATABASES["default"]["POOL_OPTIONS"]["POOL_SIZE"] = 30
