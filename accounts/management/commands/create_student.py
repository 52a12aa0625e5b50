"""`manage.py create_student EMAIL`: make sure that a student exists."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User


class Command(BaseCommand):
    help = "Create a student, or change what is given of an existing one; print the id alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="an e-mail or a pseudonym; no mail is sent")
        parser.add_argument("--credits", type=int, help="20 for a new student unless given")
        parser.add_argument(
            "--language", choices=User.Language.values, help="es for a new student unless given"
        )
        parser.add_argument("--password", help="without one, only `issue_token` lets a new student in")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in ("credits", "language") if options[name] is not None}
        try:
            with transaction.atomic():
                student = User.objects.filter(email=options["email"]).first()
                if student is None:
                    student = User.objects.create_user(options["email"], options["password"], **given)
                else:
                    self._change(student, given, options["password"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(str(student.id))

    def _change(self, student: User, given: dict[str, Any], password: str | None) -> None:
        for name, value in given.items():
            setattr(student, name, value)
        if password is not None:
            student.set_password(password)
            given["password"] = password
        student.full_clean()
        student.save(update_fields=[*given])
