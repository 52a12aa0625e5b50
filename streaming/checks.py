"""What `manage.py check` says of a set-up that works, but not as somebody may think."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Warning, register


@register()
def page_is_built(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.PAGE.is_dir():
        return []
    hint = "Run `npm ci` and `npm run build` in streaming/frontend, or `make run`, which does."
    return [Warning("The student's page has not been built.", hint=hint, id="streaming.W001")]


@register()
def nothing_needs_the_anon_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.SUPABASE_ANON_KEY:
        return []
    hint = "The database is reached by DATABASE_URL; the key may be left out."
    return [Info("Nothing needs SUPABASE_ANON_KEY.", hint=hint, id="streaming.I001")]
