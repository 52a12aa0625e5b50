"""What HTTP answers while the database is away."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import get_language

from answers.database import is_away
from answers.errors import StoreAway
from streaming.messages import FALLBACK, error_message


class BusyWhileDatabaseIsAway(MiddlewareMixin):
    """503 and when to try again, instead of an error that looks like a mistake of the program."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_away(exception):
            return None
        code, seconds = StoreAway.code, StoreAway.retry_after
        message = error_message(code, get_language() or FALLBACK)
        headers = {"Retry-After": f"{seconds:.0f}", "Cache-Control": "no-store"}
        if request.path.startswith("/api/"):
            body = {"code": code, "message": message, "retry_after": seconds}
            return JsonResponse(body, status=503, headers=headers)
        return HttpResponse(message, "text/plain; charset=utf-8", 503, headers=headers)
