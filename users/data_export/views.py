from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import LimitReached, NotFound
from users.data_export import examples
from users.data_export.services import export_data, file_name
from users.models import User
from users.requests import SignedInRequest


class DataExportView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="export_data",
        summary=_("Download my data"),
        description=_(
            "What the service keeps about you, without secrets, limits or staff notes, "
            "as a JSON file. Later versions may add members. 404 if the service does "
            "not offer it."
        ),
        responses=OpenApiTypes.OBJECT,
        examples=examples.EXPORT_DATA,
    )
    @refuses(LimitReached, NotFound)
    def get(self, request: SignedInRequest) -> StreamingHttpResponse:
        return data_response(request.user)


def data_response(user: User) -> StreamingHttpResponse:
    response = StreamingHttpResponse(
        export_data(user), content_type="application/json; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name()}"'
    return response
