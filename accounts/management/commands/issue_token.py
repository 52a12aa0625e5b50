"""`manage.py issue_token EMAIL`: let someone in without a password."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.tokens import access_token


class Command(BaseCommand):
    help = "Print an access token of a user alone; it lasts ACCESS_TOKEN_MINUTES."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"]).first()
        if user is None:
            raise CommandError("Nobody has this e-mail. Create a student: manage.py create_student EMAIL")
        if not user.is_active:
            raise CommandError("This user is not active. Turn “active” on in the administration first.")
        self.stdout.write(access_token(user))
