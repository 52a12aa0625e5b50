"""`manage.py import_answers FILE`: bring answers in from a file."""

import sys
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from answers.errors import InvalidContent
from answers.files import import_entries, lines_of, read_lines


class Command(BaseCommand):
    help = "Bring answers in from a file, one in JSON on each line: all of them, or none if a line is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file; - reads standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["file"] == "-":
                self._import(sys.stdin.buffer)
            else:
                with Path(options["file"]).open("rb") as stream:
                    self._import(stream)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror or error}") from None
        except InvalidContent as error:
            self.stderr.write("\n".join(error.problems))
            raise CommandError(f"{len(error.problems)} problems: nothing was imported.") from None

    def _import(self, stream: BinaryIO) -> None:
        entries, problems = read_lines(lines_of(stream))
        if problems:
            raise InvalidContent(problems)
        outcomes = import_entries(entries)
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        self.stdout.write(f"{len(entries)} answers: {counts}")
