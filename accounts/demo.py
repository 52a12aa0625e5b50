"""The two accounts with which one tries the product on one's own machine."""

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured

from accounts.models import User

DEMO_STUDENT = "demo@tutor.local"
DEMO_EDITOR = "editor@tutor.local"
PASSWORDS = {DEMO_STUDENT: "demo", DEMO_EDITOR: "editor"}  # known to all, so only ever made in development


def ensure_demo_accounts() -> tuple[User, User]:
    """Return the demo student and the demo editor, made where they are missing.

    Raises `ImproperlyConfigured` unless `DEBUG` is on: their passwords are known to everybody.
    """
    if not settings.DEBUG:
        raise ImproperlyConfigured("Demo accounts have known passwords: they exist only while DEBUG is on.")
    editor = _ensure(DEMO_EDITOR, is_staff=True)
    editor.user_permissions.add(*Permission.objects.filter(content_type__app_label="answers"))
    return _ensure(DEMO_STUDENT), editor


def _ensure(email: str, **fields: bool) -> User:
    existing = User.objects.filter(email=email).first()
    return existing or User.objects.create_user(email, PASSWORDS[email], **fields)
