"""Every setting of the product, read once from the environment or from `.env`.

A value that is missing or wrong stops the start with `ImproperlyConfigured` and its name.
"""

import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from limits import parse_many as parse_rates

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

T = TypeVar("T")

DATABASE_THREADS = 8  # threads for database work from sockets
DATABASE_SECONDS = 5.0  # how long one piece of it may take, waiting for a thread included


def setting(name: str, cast: Callable[[str], T], default: T, expected: str) -> T:
    """Return the variable `name`, or its default where it is unset or empty.

    `cast` raises `ValueError` for what it does not accept. The error names the variable and what it
    should be, never the value: that may be a secret.
    """
    raw = env.str(name, default="").strip()
    if not raw:
        return default
    try:
        return cast(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be {expected}.") from None


def switch(raw: str) -> bool:
    if raw.lower() in env.BOOLEAN_TRUE_STRINGS:
        return True
    if raw.lower() in ("0", "false", "off", "no", "n"):
        return False
    raise ValueError(raw)


def positive(cast: Callable[[str], T]) -> Callable[[str], T]:
    def checked(raw: str) -> T:
        value = cast(raw)
        if not 0 < value < float("inf"):  # type: ignore[operator]
            raise ValueError(raw)
        return value

    return checked


def words(raw: str) -> list[str]:
    return [word.strip() for word in raw.split(",") if word.strip()]


def origins(raw: str) -> list[str]:
    for origin in words(raw):
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
            raise ValueError(origin)
    return words(raw)


def url(*schemes: str) -> Callable[[str], str]:
    def checked(raw: str) -> str:
        if urlsplit(raw).scheme not in schemes:
            raise ValueError(raw)
        return raw

    return checked


def database(raw: str) -> dict[str, Any]:
    """Return Django's settings of the database at an address."""
    url("postgres", "postgresql", "sqlite")(raw)
    config: dict[str, Any] = {
        **environ.Env.db_url_config(raw),
        "CONN_MAX_AGE": 0,  # persistent connections leak under ASGI
    }
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # Deferred transactions that turn into writers fail at once, whatever the timeout says.
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "timeout": 20,
        }
        return config
    config["ENGINE"] = "tutor.postgresql"
    # Behind a transaction pooler the next statement may run in another session. Django prepares no statements
    # unless told to; nor may it keep cursors.
    config["DISABLE_SERVER_SIDE_CURSORS"] = True
    config["OPTIONS"] = {
        # All on our side of the wire, since poolers refuse settings of the session. A server that is gone
        # without a word is noticed within 20 s.
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "application_name": "tutor",
        **config.get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": DATABASE_THREADS + 2,  # HTTP requests use threads of their own
            "timeout": 3,
            # Later tries come with whoever needs a connection: in the library's 5 minutes the pauses between
            # tries would outgrow an outage.
            "reconnect_timeout": 2,
        },
    }
    return config


def channel_layer(redis_url: str) -> dict[str, Any]:
    if not redis_url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    keep_alive: dict[str, Any] = {}
    if not redis_url.startswith("unix:"):  # a host that is gone without a word is noticed within 20 s
        seconds = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3}
        options = {getattr(socket, name): value for name, value in seconds.items() if hasattr(socket, name)}
        keep_alive = {"socket_keepalive": True, "socket_keepalive_options": options}
    return {
        "BACKEND": "streaming.layer.OneReaderLayer",
        "CONFIG": {
            # One host: with more, the library looks for a message elsewhere than it was put.
            # No socket timeout: reads block, and under Python 3.11 redis-py would lose cancellations.
            "hosts": [{"address": redis_url, "socket_connect_timeout": 2, **keep_alive}],
            "prefix": "channel:",
            # Of one process and all its connections: 300 students who come back at once send two messages
            # each. Of more than this many, the first would be answered too late to be of use.
            "capacity": 3000,
            # Whoever sent a message waits half a second for its answer. Clocks may differ by the rest.
            "expiry": 10,
        },
    }


def rate(raw: str) -> str:
    parse_rates(raw)
    return raw


def required_in_production(name: str, cast: Callable[[str], T], development: T, expected: str) -> T:
    """Return the variable `name`; only while `DEBUG` is on may it be missing."""
    if not DEBUG and not env.str(name, default="").strip():
        raise ImproperlyConfigured(f"{name} is missing: it must be {expected} (or turn DEBUG on).")
    return setting(name, cast, development, expected)


def secret(raw: str) -> str:
    if len(raw.encode()) < 32:  # HS256 wants a key as long as its digest (RFC 7518 §3.2).
        raise ValueError(raw)
    return raw


# --- The process -----------------------------------------------------------------------------------

DEBUG = setting("DEBUG", switch, False, "on or off")
SECRET_KEY = required_in_production(
    "SECRET_KEY", secret, "only-for-development-" + "0" * 32, "at least 32 bytes"
)
ALLOWED_HOSTS = required_in_production("ALLOWED_HOSTS", words, ["*"], "host names divided by commas")
CORS_ALLOWED_ORIGINS: list[str] = setting(
    "CORS_ALLOWED_ORIGINS", origins, [], "origins such as https://school.example"
)
CSRF_TRUSTED_ORIGINS = CORS_ALLOWED_ORIGINS

ROOT_URLCONF = "tutor.urls"
ASGI_APPLICATION = "tutor.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "accounts",
    "answers",
    "streaming",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tutor.policy.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tutor.busy.BusyWhileDatabaseIsAway",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- Where things are kept -------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": setting(
        "DATABASE_URL",
        database,
        database(f"sqlite:///{BASE_DIR / 'db.sqlite3'}"),
        "a postgres:// or sqlite:/// address",
    )
}

REDIS_URL = setting("REDIS_URL", url("redis", "rediss", "unix"), "", "a redis:// address")
CHANNEL_LAYERS = {"default": channel_layer(REDIS_URL)}

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
PAGE = BASE_DIR / "streaming" / "frontend" / "dist"
# The page is put together from npm's packages at set-up; a check says so where that has not been done.
STATICFILES_DIRS = [("page", PAGE)] if PAGE.is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Compressed, and named by content, so that browsers keep them.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "tutor.static.CollectedFiles"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = r"[.-](?:[0-9a-f]{12}|[0-9A-Z]{8})\.\w+$"  # Django's names and the bundler's

# --- Who asks --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"

ACCESS_TOKEN_MINUTES = setting("ACCESS_TOKEN_MINUTES", positive(float), 60.0, "a positive number")
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "SIGNING_KEY": setting("JWT_SIGNING_KEY", secret, SECRET_KEY, "at least 32 bytes"),
    "USER_ID_CLAIM": "sub",
}
REST_FRAMEWORK = {
    # Tokens are judged by `accounts.tokens`, in the views that take them.
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

# Accepted because the seed document's `.env` has them; only a later issuer of tokens will need the first.
SUPABASE_URL = setting("SUPABASE_URL", url("https", "http"), "", "an https:// address")
SUPABASE_ANON_KEY = env.str("SUPABASE_ANON_KEY", default="")

# --- What is said ----------------------------------------------------------------------------------

OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="").strip()
OPENAI_BASE_URL = setting(
    "OPENAI_BASE_URL", url("https", "http"), "https://api.openai.com/v1", "an https:// address"
)
OPENAI_MODEL = env.str("OPENAI_MODEL", default="").strip() or "gpt-5.4-mini"
AI_DEADLINE = setting("AI_DEADLINE", positive(float), 90.0, "a positive number of seconds")
SERVE_UNREVIEWED = setting("SERVE_UNREVIEWED", switch, True, "on or off")

# --- How it is said --------------------------------------------------------------------------------

CHUNK_SIZE = setting("CHUNK_SIZE", positive(int), 50, "a positive whole number of characters")
CHUNK_DELAY = setting("CHUNK_DELAY", positive(float), 0.05, "a positive number of seconds")
SESSION_TTL = setting("SESSION_TTL", positive(int), 1800, "a positive whole number of seconds")
RATE_LIMIT_ASK = setting("RATE_LIMIT_ASK", rate, "30/minute", "a rate such as 30/minute")
MAX_CONNECTIONS_PER_USER = setting("MAX_CONNECTIONS_PER_USER", positive(int), 100, "a positive whole number")
EVENTS_PER_SECOND = setting("EVENTS_PER_SECOND", positive(int), 50, "a positive whole number")
MAX_STREAMS = setting("MAX_STREAMS", positive(int), 10_000, "a positive whole number")

# --- Words -----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("es", "Español"), ("en", "English"), ("pt", "Português")]
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "tutor": {"level": "INFO"},  # our own events: pseudonymous, never a text or an e-mail
        # At INFO these write whole packets, with tokens and what students ask.
        "socketio": {"level": "WARNING"},
        "engineio": {"level": "WARNING"},
        # At WARNING it tells of every try to reach a database that is away, which `tutor.database` does too.
        "psycopg.pool": {"level": "ERROR"},
    },
}
