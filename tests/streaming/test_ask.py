"""`manage.py ask` as a process of its own, against a real server, at a real pseudo-terminal."""

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.demo import DEMO_EDITOR, DEMO_STUDENT, ensure_demo_accounts
from accounts.models import User
from accounts.tokens import user_for
from streaming.management.commands.ask import token_for
from streaming.playback import Pace
from streaming.terminal.reader import Drawn, Piece, Reader, Title
from streaming.terminal.views import PlainView
from tests.server import ROOT, Server, Student, Template

QUESTION = "¿Por qué el cielo es azul?"
SECONDS = 30.0


def command(server: Server, student: Student, *options: str, question: str = QUESTION) -> dict[str, Any]:
    """Return how to start the command as this student."""
    arguments = ["--url", server.url, "--token", student.token(), *options]
    return {
        "args": [sys.executable, "manage.py", "ask", question, *arguments],
        "cwd": ROOT,
        "env": {**server.environment, "TERM": "xterm-256color", "LANG": "C.UTF-8"},
    }


def run(server: Server, student: Student, *options: str, **more: Any) -> subprocess.CompletedProcess[str]:
    how = command(server, student, *options, **more)
    return subprocess.run(
        **how, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def lines_of(output: str) -> list[tuple[str, Any]]:
    return [(line["event"], line["data"]) for line in map(json.loads, output.splitlines())]


@pytest.fixture(scope="module")
def done(daphne: Server, template: Template) -> subprocess.CompletedProcess[str]:
    """Return how the question was answered without any interruption."""
    return run(daphne, template.student(), "--json", "--speed", "8")


@pytest.fixture(scope="module")
def plain(done: subprocess.CompletedProcess[str]) -> str:
    """Return what should be printed as plain text."""
    out, reader = io.StringIO(), Reader(Pace(25, 0.025), 1.0)
    for event, payload in lines_of(done.stdout):
        reader.hear(event, payload)
    PlainView(out, io.StringIO()).draw(reader, 0.0, "")
    return out.getvalue() + "\n"


@pytest.fixture(scope="module")
def shown(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the words that should stand on a terminal's screen."""
    reader = Reader(Pace(25, 0.025), 1.0)
    for event, payload in lines_of(done.stdout):
        reader.hear(event, payload)
    told = []
    for item in reader.advance(float("inf")):
        match item:
            case Title(step, text):
                told.append(f" {step}. {text} ")
            case Drawn(words):
                told.append(f" ▸ {words} ")
            case Piece(unit):
                told.append(unit.text)
    return "".join(told).split()


# --- Lines of JSON and plain text ----------------------------------------------------------------------


def test_json_is_every_event_and_the_acknowledgement_in_order(
    daphne: Server, done: subprocess.CompletedProcess[str]
) -> None:
    events = lines_of(done.stdout)
    names = [name for name, _ in events]
    assert (done.returncode, done.stderr) == (0, "")
    assert names[:3] == ["ack", "explanation_start", "step_start"]
    assert names[-1] == "explanation_complete"
    assert events[0][1]["ok"]
    assert events[0][1]["session_id"] == events[1][1]["session_id"]
    text = "".join(data["chunk"] for name, data in events if name == "content_chunk")
    (row,) = daphne.rows("SELECT answer_steps FROM ai_answers WHERE question_text = ?", QUESTION)
    assert text == "".join(step["content"] for step in json.loads(row["answer_steps"]))


def test_without_a_terminal_it_is_plain_text_and_ends(daphne: Server, learner: Student, plain: str) -> None:
    done = run(daphne, learner, "--speed", "4")
    assert (done.returncode, done.stdout) == (0, plain)
    assert "\x1b" not in done.stdout
    assert done.stdout.startswith("1. El aire no tiene color\n\nEl aire que hay entre tus ojos")
    assert re.fullmatch(r"cached · \d+ s · answer \S+\n", done.stderr)


def test_what_a_server_refuses_is_said_in_words_and_in_json_by_its_code(
    daphne: Server, learner: Student
) -> None:
    worded, coded = (run(daphne, learner, *options, question="?") for options in ((), ("--json",)))
    assert (worded.returncode, worded.stdout) == (1, "")
    assert worded.stderr == "Escribe primero una pregunta. (question_empty)\n"
    assert (coded.returncode, coded.stderr) == (1, "question_empty\n")
    assert [name for name, _ in lines_of(coded.stdout)] == ["error", "ack"]


def test_a_token_that_is_not_good_is_said(daphne: Server, learner: Student) -> None:
    done = run(daphne, learner, "--json", "--token", learner.token(-10))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "token_expired\n")


def test_no_server_is_said_with_what_to_do(daphne: Server, learner: Student) -> None:
    done = run(daphne, learner, "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr == "No server answers at http://127.0.0.1:9. Start one with: make run\n"


def test_a_local_student_needs_no_token(daphne: Server, learner: Student) -> None:
    how = command(daphne, learner, "--json", "--speed", "8")
    at = how["args"].index("--token")
    how["args"][at : at + 2] = ["--email", f"{learner.id}@school.example"]
    done = subprocess.run(**how, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_stops_the_explanation(daphne: Server, learner: Student) -> None:
    process = subprocess.Popen(
        **command(daphne, learner, "--json", "--speed", "0.1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert any("content_chunk" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        rest = lines_of(process.stdout.read())
    assert process.returncode == 130
    assert rest[-1][0] == "explanation_stopped"


# --- At a terminal -------------------------------------------------------------------------------------


class Screen:
    """The few things that a terminal does which the command asks of it; it never scrolls."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = self._column = 0
        self._rest = ""

    def write(self, output: str) -> None:
        output, self._rest = self._rest + output, ""
        for match in re.finditer(r"\x1b\[\??([\d;]*)([A-Za-z])|\x1b[^A-Za-z]*$|.", output, re.DOTALL):
            if match[2]:
                self._obey(match[2], int(match[1] or 1) if match[2] in "AC" else 0)
            elif match[0].startswith("\x1b"):
                self._rest = match[0]
            else:
                self._put(match[0])

    def _obey(self, name: str, count: int) -> None:
        if name == "A":
            self._row -= count
        elif name == "C":
            self._column += count
        elif name in "JK":
            self.lines[self._row] = self.lines[self._row][: self._column]
            if name == "J":
                del self.lines[self._row + 1 :]

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            self.lines += [""] * (self._row + 1 - len(self.lines))
        else:
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Terminal:
    """The command at a pseudo-terminal of 60 columns."""

    def __init__(self, how: dict[str, Any]) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        self.modes = termios.tcgetattr(self._theirs)
        self.screen = Screen()
        self.raw = b""
        self.process = subprocess.Popen(
            **how, stdin=self._theirs, stdout=self._theirs, stderr=self._theirs, start_new_session=True
        )

    def press(self, typed: str) -> None:
        os.write(self._ours, typed.encode())

    def until(self, condition: Callable[[str], object]) -> None:
        """Read on until the screen is as wanted."""
        until = time.monotonic() + SECONDS
        while not condition(self.screen.text):
            assert time.monotonic() < until, self.screen.text
            assert self.read() or self.process.poll() is None, self.screen.text

    def read(self, seconds: float = 0.1) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        self.raw += (output := os.read(self._ours, 65536))
        self.screen.write(output.decode(errors="replace"))
        return True

    def end(self) -> int:
        """Return the exit code, once all has been read and the terminal is as it was."""
        until = time.monotonic() + SECONDS
        while self.read() or self.process.poll() is None:
            assert time.monotonic() < until, self.screen.text
        assert termios.tcgetattr(self._theirs) == self.modes
        assert self.raw.count(b"\x1b[?25l") == 1
        assert self.raw.rindex(b"\x1b[?25h") > self.raw.index(b"\x1b[?25l")
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)


@contextmanager
def at_terminal(how: dict[str, Any]) -> Iterator[Terminal]:
    terminal = Terminal(how)
    try:
        yield terminal
    finally:
        terminal.close()


def test_pause_go_on_and_faster_to_the_end_with_the_exact_text(
    daphne: Server, learner: Student, shown: list[str]
) -> None:
    with at_terminal(command(daphne, learner, "--speed", "0.3")) as terminal:
        terminal.until(lambda text: "entre tus ojos" in text)
        terminal.press(" ")
        terminal.until(lambda text: "paused" in text)
        terminal.press(" ")
        terminal.until(lambda text: "paused" not in text)
        terminal.press("++++++++")
        terminal.until(lambda text: "81.3×" in text)  # 0.3 × 1000 characters a second, over reading's 22
        assert terminal.end() == 0
        *explanation, end = terminal.screen.text.rstrip().rsplit("\n", 1)
        assert " ".join(explanation).split() == shown
        assert end.startswith("cached · ")


def test_seeks_resize_and_quit(daphne: Server, learner: Student) -> None:
    with at_terminal(command(daphne, learner, "--speed", "0.1")) as terminal:
        terminal.until(lambda text: "entre tus ojos" in text)
        terminal.press("\x1b[C")
        terminal.until(lambda text: "2. La luz blanca es una mezcla" in text)
        before = terminal.screen.text.partition("2. La luz")[0]
        assert "Vamos a ver cómo." in before  # what was skipped stands there all the same
        terminal.until(lambda text: "todos los colores" in text)
        terminal.press("\x1b[D")
        terminal.until(lambda text: "↩ step 2" in text)
        terminal.until(lambda text: text.count("La luz del Sol parece blanca") == 2)
        fcntl.ioctl(terminal._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
        terminal.until(lambda text: len(text.split("\n")[-1]) < 30)
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.screen.lines[-2] == "stopped at step 2 of 5"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(daphne: Server, learner: Student, number: int) -> None:
    with at_terminal(command(daphne, learner, "--speed", "0.05")) as terminal:
        terminal.until(lambda text: "1/5 " in text)
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert "1/5 " not in terminal.screen.text


def test_an_error_at_a_terminal_leaves_it_as_it_was(daphne: Server, learner: Student) -> None:
    with at_terminal(command(daphne, learner, question="?")) as terminal:
        assert terminal.end() == 1
        assert "Escribe primero una pregunta. (question_empty)" in terminal.screen.text


def test_a_server_that_restarts_is_found_again_and_nothing_is_lost(
    daphne: Server, learner: Student, plain: str, shown: list[str]
) -> None:
    """Piped and at a terminal, where the loss is shown too."""
    piped = subprocess.Popen(
        **command(daphne, learner, "--speed", "1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with piped, at_terminal(command(daphne, learner, "--speed", "0.4")) as terminal:
        assert piped.stdout is not None
        text = piped.stdout.read(400)
        terminal.until(lambda text: "entre tus ojos" in text)
        daphne.kill()
        terminal.until(lambda text: "connection lost" in text)
        daphne.start()
        terminal.until(lambda text: "connection lost" not in text)
        terminal.press("+" * 12)
        text += piped.stdout.read()
        assert (terminal.end(), piped.wait()) == (0, 0)
        assert text == plain
        assert terminal.screen.text.rstrip().rpartition("\n")[0].split() == shown


# --- Who asks ------------------------------------------------------------------------------------------


def test_the_demo_accounts_are_made_once_and_only_in_development(
    db: None, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("prepare_demo")
    assert not User.objects.exists()
    settings.DEBUG = True
    call_command("prepare_demo")
    printed = capsys.readouterr().out
    assert all(word in printed for word in (DEMO_STUDENT, DEMO_EDITOR, "/admin/", "password demo"))
    student, editor = ensure_demo_accounts()
    assert User.objects.count() == 2
    assert (student.check_password("demo"), student.is_staff) == (True, False)
    assert (editor.check_password("editor"), editor.is_staff, editor.is_superuser) == (True, True, False)
    assert editor.has_perm("answers.change_answer")
    assert not editor.has_perm("accounts.change_user")


def test_a_changed_password_is_neither_changed_back_nor_printed(
    db: None, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DEBUG = True
    student, _ = ensure_demo_accounts()
    student.set_password("correct horse battery")
    student.save()
    call_command("prepare_demo")
    assert "a password of your own" in capsys.readouterr().out
    student.refresh_from_db()
    assert student.check_password("correct horse battery")


def test_it_asks_as_the_demo_student_or_whoever_is_named(student: User, settings: Any) -> None:
    assert user_for(token_for(student.email)()).user_id == str(student.id)
    settings.DEBUG = True
    demo = user_for(token_for(None)())
    assert User.objects.get(pk=demo.user_id).email == DEMO_STUDENT


@pytest.mark.parametrize(("email", "advice"), [(None, "--email or --token"), ("nobody", "create_student")])
def test_nobody_asks_without_being_known(db: None, email: str | None, advice: str) -> None:
    with pytest.raises(CommandError, match=advice):
        token_for(email)


@pytest.mark.parametrize("speed", ["0.001", "9", "-1", "nan"])
def test_a_speed_beyond_the_limits_is_refused(speed: str) -> None:
    with pytest.raises(CommandError, match="--speed is"):
        call_command("ask", "x", f"--speed={speed}", "--token=x")
