"""Tokens: whom a token stands for, and the pairs we hand out."""

import re
from dataclasses import dataclass
from typing import TypeVar, cast
from uuid import UUID

from django.db import transaction
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.errors import TokenExpired, Unauthorized
from accounts.models import User

MAX_TOKEN_LENGTH = 8192  # ours have about 300 characters; what is longer is not worth parsing
TOKEN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")  # RFC 7515: without padding, which PyJWT lets pass

AnyToken = TypeVar("AnyToken", bound=Token)


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a genuine token says; times in epoch seconds."""

    user_id: UUID
    expires_at: float
    issued_at: float


@dataclass(frozen=True, slots=True)
class Identity:
    """The user behind a token, and for how long; times in epoch seconds."""

    user_id: str
    pseudonym: str
    language: str
    expires_at: float
    issued_at: float


def read_token(token: object) -> TokenClaims:
    """Return what an access token says; no database. Raises `Unauthorized`, `TokenExpired`, nothing else."""
    return _claims(_genuine(AccessToken, token))


def user_of(claims: TokenClaims) -> User:
    """Return the active user whom the claims name. Raises `Unauthorized`."""
    try:
        return User.objects.get(pk=claims.user_id, is_active=True)
    except User.DoesNotExist:
        raise Unauthorized from None


def user_for(token: object) -> Identity:
    """Return who sends this access token (synchronous, one query). Raises `Unauthorized`, `TokenExpired`."""
    claims = read_token(token)
    user = user_of(claims)
    return Identity(str(user.id), user.pseudonym, user.language, claims.expires_at, claims.issued_at)


def access_token(user: User) -> str:
    return str(AccessToken.for_user(user))


def token_pair(user: User) -> dict[str, str]:
    refresh = RefreshToken.for_user(user)
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def rotate(token: object) -> dict[str, str]:
    """Exchange a refresh token for a new pair; it has one successor, however often and wherever it is shown.

    Raises `Unauthorized`, `TokenExpired`.
    """
    with transaction.atomic():
        old = _genuine(RefreshToken, token)
        user = user_of(_claims(old))
        _, first_time = cast(tuple[object, bool], old.blacklist())  # its annotation forgets the second
        if not first_time:
            raise Unauthorized
        return token_pair(user)


def _genuine(kind: type[AnyToken], token: object) -> AnyToken:
    if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH or not TOKEN.fullmatch(token):
        raise Unauthorized
    try:
        return kind(token)  # type: ignore[arg-type]  # its annotation forgets the encoded form
    except ExpiredTokenError:
        raise TokenExpired from None
    except (TokenError, LookupError, TypeError, ValueError, ArithmeticError, OSError):
        # All but the first: a genuine signature over claims of the wrong type.
        raise Unauthorized from None


def _claims(token: Token) -> TokenClaims:
    try:
        return TokenClaims(UUID(token["sub"]), float(token["exp"]), float(token["iat"]))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        raise Unauthorized from None
