"""From the text a model writes to the pieces of an answer, each as soon as it is certain.

Two shapes are read, with their keys in any order, and what surrounds the object is passed over:

    {"plan": {"total_duration", "titles"}, "steps": [{"title", "type", "parts": [{"say"} | {"do"}]}]}
    {"total_duration", "steps": [{"title", "type", "content", "canvas_commands"}]}

What goes on from a recording has `rest` instead of a plan: the parts that end its open step.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from answers.canvas import COMMANDS, read_command
from answers.errors import AiInvalidAnswer, InvalidContent
from answers.generation.base import Drawn, Piece, Plan, Said, StepClosed, StepOpened
from answers.generation.openai.json_text import JsonText, Waiting
from answers.recording import RecordedStep, Recording
from answers.schema import MAX_BYTES, MAX_COMMANDS, MAX_CONTENT, MAX_STEPS, MAX_TITLE, STEP_TYPES

MAX_RAW = 4 * MAX_BYTES  # characters received: escapes and white space are no content
MIN_REPETITION = 20  # shorter beginnings may be the same by chance

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class AnswerReader:
    """Reads one answer, or what goes on from `written`; `dropped`: the commands left out, and why."""

    def __init__(self, written: Recording | None = None) -> None:
        self.complete = False
        self.dropped: list[str] = []
        self._json = JsonText()
        self._received = 0
        self._size = len(_compact(written.as_steps()).encode()) if written else 0
        self._written = written
        self._steps = len(written.steps) if written else 0
        self._titles: tuple[str, ...] = ()
        self._duration = 0.0
        self._planned = written is not None
        self._has_text = written is not None and written.has_text
        self._out: list[Piece] = []
        self._saying: list[str] = []  # words still to be joined to one `Said`
        self._reading = self._answer()
        next(self._reading)

    def feed(self, delta: str) -> list[Piece]:
        """Return the pieces that `delta` completes. What follows the answer is ignored."""
        if self.complete:
            return []
        self._received += len(delta)
        if self._received > MAX_RAW:
            raise AiInvalidAnswer("longer than an answer may be")
        self._json.feed(delta)
        try:
            next(self._reading)
        except StopIteration:
            self.complete = True
        self._join()
        out, self._out = self._out, []
        return out

    def close(self) -> None:
        """Raise `AiInvalidAnswer` unless the whole answer has been read, and says something."""
        if not self.complete:
            raise AiInvalidAnswer("ends before it is complete")
        if not self._has_text:
            raise AiInvalidAnswer("without any text")

    def _answer(self) -> Waiting[None]:
        rest_of = self._written.open_step if self._written else None
        yield from self._json.skip_to("{")
        yield from self._json.opens("{")
        while (key := (yield from self._json.key())) is not None:
            if key == "rest" and rest_of:
                step = _OpenStep(self._emit, rest_of)
                yield from self._parts(step)
                step.close()
                rest_of = None
            elif key == "steps" and (yield from self._json.opens("[")):
                if rest_of:
                    raise AiInvalidAnswer("the open step is not gone on with")
                while (yield from self._json.item()):
                    yield from self._step()
            else:
                self._prepare(key, (yield from self._json.value()))
        if rest_of:
            raise AiInvalidAnswer("the open step is not gone on with")

    def _prepare(self, key: str, value: Any) -> None:
        if key == "plan" and isinstance(value, dict):
            titles = value.get("titles")
            self._titles = tuple(map(_line, titles[:MAX_STEPS])) if isinstance(titles, list) else ()
            self._duration = _seconds(value.get("total_duration"))
            self._plan()
        elif key == "total_duration":
            self._duration = _seconds(value)

    def _plan(self) -> None:
        if not self._planned:
            self._planned = True
            self._out.append(Plan(self._titles, self._duration))

    def _step(self) -> Waiting[None]:
        if not (yield from self._json.opens("{")):
            raise AiInvalidAnswer("a step that is no object")
        if self._steps == MAX_STEPS:
            raise AiInvalidAnswer("more steps than an answer may have")
        planned = self._titles[self._steps] if self._steps < len(self._titles) else ""
        self._steps += 1
        step = _OpenStep(self._emit)
        late: Any = ()
        while (key := (yield from self._json.key())) is not None:
            if key == "title":
                step.entitle(_line((yield from self._json.value())))
            elif key == "type":
                step.type = yield from self._json.value()
            elif key in ("parts", "content"):
                yield from self._parts(step)
            elif key == "canvas_commands":
                late = yield from self._json.value()
            else:
                yield from self._json.value()
        step.entitle(planned or str(self._steps))
        for command in late if isinstance(late, list) else ():
            self._draw(step, command)
        step.close()

    def _parts(self, step: "_OpenStep") -> Waiting[None]:
        """Read what happens in a step: parts in telling order, or one string that says all."""
        if (yield from self._json.opens("[")):
            while (yield from self._json.item()):
                yield from self._part(step)
        else:
            yield from self._part(step)

    def _part(self, step: "_OpenStep") -> Waiting[None]:
        if (yield from self._json.token()) == '"':
            yield from self._json.string(step.say)
        elif (yield from self._json.opens("{")):
            bare: dict[str, Any] = {}
            while (key := (yield from self._json.key())) is not None:
                if key == "say" and (yield from self._json.token()) == '"':
                    yield from self._json.string(step.say)
                elif key == "do":
                    if (command := (yield from self._json.value())) is not None:
                        self._draw(step, command)
                else:
                    bare[key] = yield from self._json.value(formula=key == "tex")
            if "op" in bare:
                self._draw(step, bare)
        else:
            yield from self._json.value()

    def _draw(self, step: "_OpenStep", value: Any) -> None:
        command = value if isinstance(value, dict) else {}
        command.pop("at", None)
        try:
            if step.commands == MAX_COMMANDS:
                raise InvalidContent(["more commands than a step may have"])
            step.draw(read_command(command))
        except InvalidContent as error:
            op = command.get("op")
            self.dropped.append(f"{op if isinstance(op, str) and op in COMMANDS else 'unknown'}: {error}")

    def _emit(self, piece: Piece) -> None:
        if isinstance(piece, Said):
            self._saying.append(piece.text)
            return
        self._join()
        self._plan()
        self._out.append(piece)
        if isinstance(piece, Drawn):
            self._weigh({**piece.command, "at": MAX_CONTENT})
        elif isinstance(piece, StepOpened):
            self._weigh({"title": piece.title, "type": piece.type, "content": "", "canvas_commands": []})

    def _join(self) -> None:
        if self._saying:
            text = "".join(self._saying)
            self._saying.clear()
            self._has_text = self._has_text or not text.isspace()
            self._out.append(Said(text))
            self._weigh(text)

    def _weigh(self, value: Any) -> None:
        self._size += len(_compact(value).encode())
        if isinstance(value, str):
            self._size -= 2  # its quotes: one text comes in many pieces
        if self._size > MAX_BYTES:
            raise AiInvalidAnswer("larger than an answer may be")


class _OpenStep:
    """A step that begins once its title is known and something happens in it.

    `rest_of`: the step that goes on; if its text is repeated first, that is passed over.
    """

    def __init__(self, emit: Callable[[Piece], None], rest_of: RecordedStep | None = None) -> None:
        self.type: Any = "text"
        self.commands = len(rest_of.commands) if rest_of else 0
        self._emit = emit
        self._title: str | None = None
        self._length = len(rest_of.content) if rest_of else 0
        self._open = rest_of is not None
        self._repeating = rest_of.content if rest_of and self._length >= MIN_REPETITION else ""
        self._repeated = 0
        self._held: list[Piece] = []

    def entitle(self, title: str) -> None:
        if self._title is None and title:
            self._title = title

    def say(self, text: str) -> None:
        if self._repeating:
            text = self._pass_over(text)
        if text:
            self._tell(Said(text))

    def draw(self, command: Mapping[str, Any]) -> None:
        self.commands += 1
        self._tell(Drawn(command))

    def close(self) -> None:
        self._repeating = ""
        self._release()
        if self._open:
            self._emit(StepClosed())

    def _tell(self, piece: Piece) -> None:
        self._held.append(piece)
        if not self._repeating:
            self._release()

    def _release(self) -> None:
        if not self._held:
            return
        if not self._open:
            if self._title is None:
                return
            self._open = True
            self._emit(StepOpened(self._title, self.type if self.type in STEP_TYPES else "text"))
        for piece in self._held:
            if isinstance(piece, Said):
                self._length += len(piece.text)
                if self._length > MAX_CONTENT:
                    raise AiInvalidAnswer("a step longer than a step may be")
            self._emit(piece)
        self._held.clear()

    def _pass_over(self, text: str) -> str:
        """Return what of `text` is new; nothing while it may still be a repetition."""
        expected = self._repeating[self._repeated : self._repeated + len(text)]
        if not text.startswith(expected):
            self._repeating = ""
            return text
        self._repeated += len(expected)
        self._held.append(Said(expected))
        if self._repeated < len(self._repeating):
            return ""
        self._repeating = ""
        self._held.clear()
        return text[len(expected) :]


def _line(value: Any) -> str:
    return " ".join(value.split())[:MAX_TITLE].rstrip() if isinstance(value, str) else ""


def _seconds(value: Any) -> float:
    return min(max(float(value), 0.0), 86_400.0) if isinstance(value, int | float) else 0.0
