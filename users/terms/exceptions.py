from django.utils.translation import gettext_lazy as _

from config.refusals import Conflict


class TermsVersionOutdated(Conflict):
    code = "terms_version_outdated"
    text = _("The terms have changed. Read the current version.")
    attr = "version"
