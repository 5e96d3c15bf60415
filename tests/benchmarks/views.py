from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class BareView(APIView):
    """Only token authentication: the least that any view of the service costs."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response({"id": request.user.pk})
