"""The HTTP side of an account: tokens for a password, a session or an older token, and who I am."""

from io import BytesIO
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, ParseError, Throttled
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts.errors import AccountsError, RateLimited, TokenExpired, Unauthorized
from accounts.limits import LoginAttempts, login_storage
from accounts.models import User, normalise_login
from accounts.tokens import TokenClaims, read_token, rotate, token_pair, user_of

MAX_BODY = 16 * 1024  # bytes: two tokens of the longest kind
STATUS_CODES = {401: "unauthorized", 403: "unauthorized", 429: "rate_limited"}
MESSAGES = {
    Unauthorized.code: _("Please sign in again: these credentials are not valid."),
    TokenExpired.code: _("Your session has expired. Please sign in again."),
    RateLimited.code: _("Too many attempts. Please wait a moment."),
}

login_attempts = LoginAttempts(login_storage(settings.REDIS_URL))


class Refusal(APIException):
    """A refusal with a code of the contract and words of its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status_code, self.code = status, code


class SmallJSONParser(JSONParser):
    """JSON of a size and depth that a person signing in could mean."""

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise ParseError(_("The request is too large."))
        try:
            return super().parse(BytesIO(body), *args, **kwargs)
        except RecursionError:
            raise ParseError(_("The request is nested too deeply.")) from None


class TokenAuthentication(JWTAuthentication):
    """The `Authorization: Bearer` header, judged by the same function as a token on a socket."""

    def authenticate(self, request: Request) -> tuple[User, TokenClaims] | None:  # type: ignore[override]
        header = self.get_header(request)
        raw = self.get_raw_token(header) if header else None
        if raw is None:
            return None
        claims = read_token(raw.decode("latin-1"))
        return user_of(claims), claims


class SessionWithoutCredentials(SessionAuthentication):
    """The session, CSRF-checked, unless the body says who asks: then no stale cookie gets in the way."""

    def authenticate(self, request: Request) -> Any:
        return None if request.data else super().authenticate(request)


class AccountView(APIView):
    """A view whose every refusal is `{"code", "message", "retry_after"?}` with the contract's codes."""

    parser_classes = [SmallJSONParser]
    cache_control = "no-store"  # tokens and credits belong in no cache

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'  # a token opens every view, whatever else it takes

    def handle_exception(self, exc: Exception) -> Response:
        refusal = _http_error(exc) if isinstance(exc, AccountsError) else exc
        response = super().handle_exception(refusal)  # raises again what is not a refusal
        code = STATUS_CODES.get(response.status_code, "invalid_payload")
        response.data = {
            "code": exc.code if isinstance(exc, AccountsError | Refusal) else code,
            "message": _sentence(refusal.detail if isinstance(refusal, APIException) else str(refusal)),
        }
        if isinstance(exc, RateLimited):
            response.data["retry_after"] = exc.retry_after
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = self.cache_control if response.status_code < 300 else "no-store"
        return response


class Credentials(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class TokenView(AccountView):
    """A pair of tokens for `{email, password}`, or without a body for a signed-in session."""

    authentication_classes = [SessionWithoutCredentials]
    permission_classes: list[type[BasePermission]] = []

    def post(self, request: Request) -> Response:
        return Response(token_pair(request.user if request.user.is_authenticated else self._login(request)))

    def _login(self, request: Request) -> User:
        credentials = Credentials(data=request.data)
        credentials.is_valid(raise_exception=True)
        email = normalise_login(credentials.validated_data["email"])
        address = request.META.get("REMOTE_ADDR") or "-"
        login_attempts.begin(email, address)
        user = authenticate(request._request, email=email, password=credentials.validated_data["password"])
        if not isinstance(user, User):
            raise Unauthorized
        login_attempts.succeeded(email, address)
        update_last_login(User, user)
        return user


class OldToken(serializers.Serializer[Any]):
    refresh = serializers.CharField()


class RefreshView(AccountView):
    """A new pair of tokens for `{refresh}`, which then is worth nothing."""

    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes: list[type[BasePermission]] = []

    def post(self, request: Request) -> Response:
        old = OldToken(data=request.data)
        old.is_valid(raise_exception=True)
        return Response(rotate(old.validated_data["refresh"]))


class Preferences(serializers.Serializer[Any]):
    language = serializers.ChoiceField(User.Language.choices)


class MeView(AccountView):
    """Who I am, by token or session; PATCH `{language}` changes what I am spoken to in."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]

    def get(self, request: Request) -> Response:
        user = cast(User, request.user)  # the default permission lets nobody else through
        return Response(
            {"id": user.pk, "email": user.email, "language": user.language, "credits": user.credits}
        )

    def patch(self, request: Request) -> Response:
        wanted = Preferences(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = cast(User, request.user)
        user.language = wanted.validated_data["language"]
        user.save(update_fields=["language"])
        return self.get(request)


def _http_error(error: AccountsError) -> APIException:
    message = str(MESSAGES[error.code])
    return (
        Throttled(error.retry_after, message)
        if isinstance(error, RateLimited)
        else AuthenticationFailed(message)
    )


def _sentence(detail: Any) -> str:
    """Return what REST framework says in lists and dictionaries by field as one line."""
    if isinstance(detail, dict):
        return "; ".join(
            _sentence(what) if field == "non_field_errors" else f"{field}: {_sentence(what)}"
            for field, what in detail.items()
        )
    if isinstance(detail, list):
        return " ".join(map(_sentence, detail))
    return str(detail)
