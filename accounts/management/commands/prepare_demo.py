"""`manage.py prepare_demo`: someone to try the product as."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from accounts.demo import PASSWORDS, ensure_demo_accounts


class Command(BaseCommand):
    help = "Make sure that a demo student and a demo editor exist, and say how to sign in (only with DEBUG)."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            student, editor = ensure_demo_accounts()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        for user, what in ((student, "demo student, at /"), (editor, "demo editor, at /admin/")):
            password = PASSWORDS[user.email]
            known = f"password {password}" if user.check_password(password) else "a password of your own"
            self.stdout.write(f"{what:24} {user.email:20} {known}")
