from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.schema import refuses
from config.refusals import LimitReached, NotFound
from users.mail import examples, services
from users.mail.exceptions import EmailLinkInvalid, EmailMissing
from users.mail.serializers import EmailStateSerializer, VerifyEmailSerializer
from users.requests import SignedInRequest


class EmailLinkView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="send_email_link",
        summary=_("Send the link to confirm my e-mail"),
        description=_(
            "Sends the link again: the first one is sent when the e-mail is saved. If "
            "it is confirmed, nothing is sent. 404 if the service sends no e-mails."
        ),
        request=None,
        responses=EmailStateSerializer,
        examples=examples.SEND_LINK,
    )
    @refuses(EmailMissing, LimitReached, NotFound)
    def post(self, request: SignedInRequest) -> Response:
        services.send_verification_link(request.user)
        return Response(EmailStateSerializer(request.user).data)


class VerifyEmailView(APIView):
    schema_tags = ["Profile"]

    @extend_schema(
        operation_id="verify_email",
        summary=_("Confirm my e-mail"),
        description=_(
            "For apps that open the link themselves. The link is valid for 24 hours "
            "and for one account: send the token of that account."
        ),
        request=VerifyEmailSerializer,
        responses=EmailStateSerializer,
        examples=examples.VERIFY_EMAIL,
    )
    @refuses(EmailLinkInvalid, NotFound)
    def post(self, request: SignedInRequest) -> Response:
        body = VerifyEmailSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.verify_email(user=request.user, key=body.validated_data["key"])
        return Response(EmailStateSerializer(request.user).data)
