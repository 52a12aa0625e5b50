"""`manage.py export_answers`: write answers as a file that `import_answers` reads."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from answers.files import export
from answers.lookup import VOUCHED_FOR
from answers.models import Answer


class Command(BaseCommand):
    help = "Write the answers that editors stand behind as they are now, one in JSON on each line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--status", choices=Answer.Status.values, help="all unless given")
        parser.add_argument(
            "--unreviewed",
            action="store_true",
            help="generated answers too that nobody has reviewed; importing them counts as a review",
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="standard output unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        answers = Answer.objects.filter(Q() if options["unreviewed"] else VOUCHED_FOR)
        if options["status"]:
            answers = answers.filter(status=options["status"])
        if not options["output"]:
            for line in export(answers):
                self.stdout.write(line)
            return
        try:
            with options["output"].open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(f"{line}\n" for line in export(answers))
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror or error}") from None
