from typing import Any

from django.views.generic import TemplateView

from referrals.codes import normalize_invite_code


class InvitePage(TemplateView):
    """Where a share link leads. Opening it changes nothing: messengers open it, too."""

    template_name = "referrals/invite.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = normalize_invite_code(kwargs["code"])
        return super().get_context_data(**kwargs, invite_code=code)
