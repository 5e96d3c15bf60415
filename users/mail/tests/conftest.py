import pytest
from django.conf import LazySettings

PUBLIC_URL = "https://referral.example.com"


@pytest.fixture(autouse=True)
def notices_are_on(settings: LazySettings) -> LazySettings:
    settings.EMAIL_NOTICES = True
    settings.PUBLIC_URL = PUBLIC_URL
    settings.DEFAULT_FROM_EMAIL = "service@example.com"
    return settings
