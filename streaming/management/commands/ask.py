"""`manage.py ask "question"`: a student in the terminal."""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console

from accounts.demo import DEMO_STUDENT, ensure_demo_accounts
from accounts.models import User
from accounts.tokens import access_token
from streaming.playback import Pace
from streaming.protocol import MAX_SPEED, MIN_SPEED
from streaming.terminal import screen
from streaming.terminal.reader import Reader, reading_speed
from streaming.terminal.student import Ending, Student
from streaming.terminal.views import JsonView, PlainView, View


class Command(BaseCommand):
    help = (
        "Ask a question and follow its explanation. Keys: space pauses and goes on, ← goes back a sentence,"
        " → to the next step, + and − change the speed, q stops. Without a terminal it prints plain text."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("question")
        parser.add_argument("--url", default=f"http://127.0.0.1:{os.environ.get('PORT') or 8000}")
        who = parser.add_mutually_exclusive_group()
        who.add_argument("--email", help=f"who asks; {DEMO_STUDENT} unless given")
        who.add_argument("--token", help="an access token, instead of one made here for --email")
        parser.add_argument(
            "--speed",
            type=float,
            help=f"{MIN_SPEED:g} to {MAX_SPEED:g}, 1 being the pace that the server is set to; unless given,"
            " a pace for reading in a terminal, and 1 elsewhere",
        )
        parser.add_argument("--json", action="store_true", help="print each event as a line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        at_keyboard = not options["json"] and is_terminal()
        pace = Pace(settings.CHUNK_SIZE, settings.CHUNK_DELAY)
        speed = options["speed"] or (reading_speed(pace) if at_keyboard else 1.0)
        if not MIN_SPEED <= speed <= MAX_SPEED:
            raise CommandError(f"--speed is {MIN_SPEED:g} to {MAX_SPEED:g}.")
        view: View = JsonView(sys.stdout) if options["json"] else PlainView(sys.stdout, sys.stderr)
        if at_keyboard:
            view = screen.TerminalView(Console())
        token = functools.partial(str, options["token"]) if options["token"] else token_for(options["email"])
        reader, renewable = Reader(pace, speed), not options["token"]
        student = Student(options["url"], token, options["question"], reader, view, renewable=renewable)
        try:
            ending = asyncio.run(follow(student, view))
            view.last("" if ending.exit_code == 1 else ending.words)
        except BrokenPipeError:  # whoever read our output has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        if ending.exit_code == 1:
            code = f" ({ending.error})" if ending.error else ""
            self.stderr.write(ending.error if options["json"] and ending.error else ending.words + code)
        sys.exit(ending.exit_code)


def is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def token_for(email: str | None) -> Callable[[], str]:
    """Return what makes access tokens for this student, or the demo student. Raises `CommandError`."""
    try:
        if email is None and settings.DEBUG:
            user: User | None = ensure_demo_accounts()[0]
        else:
            user = User.objects.filter(email=email or DEMO_STUDENT, is_active=True).first()
    except DatabaseError:
        raise CommandError("The database is not ready. Prepare it with: manage.py migrate") from None
    if user is None and email is None:
        raise CommandError("There is no demo student here. Say who asks: --email or --token")
    if user is None:
        raise CommandError("No active user has this e-mail. Create one with: manage.py create_student EMAIL")
    return functools.partial(access_token, user)


async def follow(student: Student, view: View) -> Ending:
    """Follow the explanation, listening to signals and, at a terminal, to keys."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, student.happened, "leave", 128 + number)
    if not isinstance(view, screen.TerminalView):
        return await student.follow()
    with screen.keyboard(sys.stdout) as keyboard:

        def pressed() -> None:
            for key in screen.keys(os.read(keyboard, 1024).decode(errors="ignore")):
                student.happened("key", key)

        loop.add_reader(keyboard, pressed)
        try:
            return await student.follow()
        finally:
            loop.remove_reader(keyboard)
