from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import NotFound
from users.requests import SignedInRequest
from users.terms import examples, services
from users.terms.exceptions import TermsVersionOutdated
from users.terms.serializers import AcceptTermsSerializer, TermsSerializer


class TermsView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="accept_terms",
        summary=_("Accept the terms"),
        description=_(
            "Send the `version` from `terms` in the profile. The API works the same "
            "for people who have not accepted it. 404 if the service has no terms."
        ),
        request=AcceptTermsSerializer,
        responses=TermsSerializer,
        examples=examples.ACCEPT_TERMS,
    )
    @refuses(TermsVersionOutdated, NotFound)
    def post(self, request: SignedInRequest) -> Response:
        body = AcceptTermsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        version = body.validated_data["version"]
        services.accept_terms(user=request.user, version=version)
        return Response(TermsSerializer(services.terms_of(request.user)).data)
