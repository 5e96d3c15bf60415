from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.refusals import Refusal


class TokenInvalid(Refusal):
    """Forged, expired, used before, of another kind, or of a device signed out."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "token_invalid"
    default_detail = _("The token is not valid. Sign in again.")
    auth_header = 'Bearer realm="api"'  # DRF makes it WWW-Authenticate
