from django.conf import settings

from users.phones import PhoneNumber, country_of


def country_label(phone_number: PhoneNumber) -> str:
    """For metrics. A client chooses the country: only those named in settings count."""
    country = country_of(phone_number)
    named = {settings.PHONE_DEFAULT_REGION, *settings.SMS_COUNTRIES}
    return country if country in named else "other"
