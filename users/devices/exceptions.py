from django.utils.translation import gettext_lazy as _

from config.refusals import NotSignedIn


class TokenInvalid(NotSignedIn):
    """Forged, expired, used before, of the wrong kind, or its device is signed out."""

    code = "token_invalid"
    text = _("The token is not valid. Sign in again.")
