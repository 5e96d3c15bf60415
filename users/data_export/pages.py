from django.contrib.auth.decorators import login_required
from django.http import StreamingHttpResponse
from django.views.decorators.http import require_POST

from users.data_export.views import data_response
from users.requests import SignedInPageRequest


@login_required
@require_POST
def export_page(request: SignedInPageRequest) -> StreamingHttpResponse:
    """A POST, so that no link and no picture of another site uses the limit up."""
    return data_response(request.user)
