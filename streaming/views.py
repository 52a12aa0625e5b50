"""The student's page, and the door to it."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.gzip import gzip_page

from accounts.demo import DEMO_STUDENT
from accounts.errors import RateLimited
from accounts.models import User, normalise_login
from accounts.views import login_attempts
from answers import history
from answers.lookup import examples, shared_question
from streaming.library_words import WORDS as LIBRARY_WORDS
from streaming.page_words import WORDS

EXAMPLES = 4


@gzip_page
@ensure_csrf_cookie
def index(request: HttpRequest) -> HttpResponse:
    """The page; its script trades the signed-in session for a token at `/api/token/`."""
    _let_demo_in(request)
    return _page(request)


@gzip_page
@ensure_csrf_cookie
def explanation(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The page, playing one of the student's own explanations; another's is as good as none."""
    if not isinstance(student := _let_demo_in(request), User):
        return redirect_to_login(request.path)
    if not history.own(student.pk).filter(pk=session_id).exists():
        raise Http404
    return _page(request, {"session_id": str(session_id)})


@gzip_page
@ensure_csrf_cookie
def answer(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """The page, asking the question of an answer that everybody is served, as it stands now.

    The address of an answer for this student alone leads to where they heard it.
    """
    if not isinstance(student := _let_demo_in(request), User):
        return redirect_to_login(request.path)
    asked = shared_question(answer_id)
    if asked is None:
        heard = history.own(student.pk).filter(answer=answer_id).order_by("-created_at").first()
        if heard is None:
            raise Http404
        return redirect("explanation", heard.pk)
    context = {"language": asked.language, "subject": asked.subject, "level": asked.level}
    said = {name: value for name, value in context.items() if value}
    return _page(request, {"question": asked.text, "context": said})


def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root because it may only look after what lies beside or below it."""
    try:
        script = (settings.PAGE / "worker.js").read_bytes()
    except FileNotFoundError:
        raise Http404 from None
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}
    return HttpResponse(script, "text/javascript; charset=utf-8", headers=headers)


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


def _let_demo_in(request: HttpRequest) -> User | AnonymousUser:
    """Return who asks; while debugging, whoever has just run `make run` is let in at once."""
    if settings.DEBUG and request.user.is_anonymous:
        demo = User.objects.filter(email=DEMO_STUDENT, is_active=True).first()
        if demo:
            login(request, demo, "django.contrib.auth.backends.ModelBackend")
    return request.user


def _page(request: HttpRequest, play: dict[str, Any] | None = None) -> HttpResponse:
    """Render the page; its script begins with `play`: a session, or a question to ask."""
    language, student = _language(request), request.user
    context: dict[str, Any] = {"language": language, "words": WORDS[language], "examples": []}
    if isinstance(student, User):
        context["examples"] = examples(language, EXAMPLES)
        context["config"] = json.dumps(_config(student, language, play), ensure_ascii=False)
    response = render(request, "streaming/index.html", context)
    response.headers["Cache-Control"] = "private, no-cache"  # it names the student, and keeps up with them
    return response


def _config(student: User, language: str, play: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the page's script has to know; `pace` in code points a second at speed 1."""
    urls = {name: reverse(name) for name in ("token", "me", "explanations", "worker", "login", "index")}
    return {
        "language": language,
        "words": {**WORDS[language]["page"], "library": LIBRARY_WORDS[language]},
        "pace": settings.CHUNK_SIZE / settings.CHUNK_DELAY,
        "urls": urls,
        "student": {"id": str(student.pk)},
        "play": play,
    }


def _language(request: HttpRequest | None) -> str:
    """Return the student's language if the page speaks it, else the browser's."""
    chosen = request.user.language if request and isinstance(request.user, User) else ""
    return chosen if chosen in WORDS else (get_language() or settings.LANGUAGE_CODE)
