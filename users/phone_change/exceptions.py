from django.utils.translation import gettext_lazy as _

from config.refusals import Refusal
from users.login.exceptions import CodeExpired, CodeIncorrect


class OldCodeIncorrect(CodeIncorrect):
    attr = "old_code"


class NewCodeIncorrect(CodeIncorrect):
    attr = "new_code"


class OldCodeExpired(CodeExpired):
    attr = "old_code"


class NewCodeExpired(CodeExpired):
    attr = "new_code"


class PhoneNumberUnchanged(Refusal):
    code = "phone_number_unchanged"
    text = _("This is already your number.")
    attr = "phone_number"
