import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from config.api.error_handling import status_of
from config.waits import try_again_in
from users.challenges import backend
from users.challenges.exceptions import ChallengeRequired

SOLUTION_FIELD = "challenge"
CSRF_FIELD = "csrfmiddlewaretoken"


def sent_solution(request: HttpRequest) -> str:
    """For `Client.of`. Empty if the page has not solved anything."""
    return request.POST.get(SOLUTION_FIELD, "")


@never_cache
def challenge_page(request: HttpRequest, refusal: ChallengeRequired) -> HttpResponse:
    """The form that was sent, to be sent again by the page with the solution."""
    challenge = backend()
    fields = [
        (name, value)
        for name, value in request.POST.items()
        if name not in {SOLUTION_FIELD, CSRF_FIELD}
    ]
    # After a solution that was not accepted people have to press the button, or a page
    # whose solutions are never accepted would go on for ever.
    is_first = not sent_solution(request)
    context = {
        "fields": fields,
        "try_again_in": try_again_in(refusal.retry_after),
        "solver": challenge.template_name if challenge and is_first else None,
        "task": refusal.task,
        "task_json": json.dumps(refusal.task),
    }
    return render(request, "users/challenge.html", context, status=status_of(refusal))
