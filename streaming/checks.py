"""What `manage.py check` says of a set-up that works, but not as somebody may think."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Warning, register


@register()
def browser_client_is_installed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.SOCKET_IO_CLIENT.is_dir():
        return []
    hint = "Run `npm ci` in streaming/frontend, or `make run`, which does."
    return [Warning("The page lacks its Socket.IO client.", hint=hint, id="streaming.W001")]


@register()
def nothing_needs_the_anon_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.SUPABASE_ANON_KEY:
        return []
    hint = "The database is reached by DATABASE_URL; the key may be left out."
    return [Info("Nothing needs SUPABASE_ANON_KEY.", hint=hint, id="streaming.I001")]
