"""The student's page, and the door to it."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.csrf import ensure_csrf_cookie

from accounts.demo import DEMO_STUDENT
from accounts.errors import RateLimited
from accounts.models import User, normalise_login
from accounts.views import login_attempts
from answers.lookup import examples
from streaming.page_words import WORDS

EXAMPLES = 4


@ensure_csrf_cookie
def index(request: HttpRequest) -> HttpResponse:
    """The page; its script trades the signed-in session for a token at `/api/token/`."""
    if settings.DEBUG and request.user.is_anonymous:  # whoever has just run `make run` is let in at once
        demo = User.objects.filter(email=DEMO_STUDENT, is_active=True).first()
        if demo:
            login(request, demo, "django.contrib.auth.backends.ModelBackend")
    language = _language(request)
    shown = examples(language, EXAMPLES) if request.user.is_authenticated else []
    context = {"language": language, "words": WORDS[language], "examples": shown}
    return render(request, "streaming/index.html", context)


class LoginForm(AuthenticationForm):
    """Django's, within the limit that also holds where a password is traded for a token."""

    def clean(self) -> dict[str, Any]:
        email = normalise_login(self.cleaned_data.get("username", ""))
        address = (self.request and self.request.META.get("REMOTE_ADDR")) or "-"
        try:
            login_attempts.begin(email, address)
        except RateLimited:
            raise ValidationError(WORDS[_language(self.request)]["too_many_attempts"]) from None
        cleaned = super().clean()
        login_attempts.succeeded(email, address)
        return cleaned

    def get_invalid_login_error(self) -> ValidationError:
        return ValidationError(WORDS[_language(self.request)]["wrong_login"])


class Login(LoginView):
    """The way in for students: the administration's login lets only editors in."""

    template_name = "streaming/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        language = _language(self.request)
        return super().get_context_data(language=language, words=WORDS[language], **kwargs)


def _language(request: HttpRequest | None) -> str:
    """Return the student's language if the page speaks it, else the browser's."""
    chosen = request.user.language if request and isinstance(request.user, User) else ""
    return chosen if chosen in WORDS else (get_language() or settings.LANGUAGE_CODE)
