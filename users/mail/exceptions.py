from django.utils.translation import gettext_lazy as _

from config.refusals import Refusal


class EmailMissing(Refusal):
    code = "email_missing"
    text = _("There is no e-mail in your profile.")


class EmailLinkInvalid(Refusal):
    code = "email_link_invalid"
    text = _(
        "This link is not valid: it is more than a day old, or it is for another "
        "e-mail or account. Ask for a new one on your profile page."
    )
    attr = "key"
