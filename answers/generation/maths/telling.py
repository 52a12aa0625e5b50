"""An answer as it is put together: steps of sentences, formulas and drawings, and the board they stand on."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from answers.errors import CannotAnswer
from answers.generation.base import Drawn, Piece, Plan, Said, StepClosed, StepOpened
from answers.generation.maths.notation import Formula, Notation
from answers.recording import Recording
from answers.showing import MAX_ALT
from answers.text import MAX_FORMULA

LANGUAGES = ("es", "en", "pt")
READING_PACE = 15  # characters a second
LEFT, TOP, BOTTOM = 64, 72, 656
ROOM = 640  # how wide the column of formulas is, left of the graph
WORDS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))

_FRACTION = re.compile(r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{([^{}]*)\}")


@dataclass(slots=True)
class Step:
    title: str
    type: str
    parts: list[Said | Drawn] = field(default_factory=list)

    @property
    def content(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Said))


class Telling:
    """Grows step by step; sentences come from the words of its language by key."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        self.steps: list[Step] = []
        self._line = 0
        self._page = 1
        self._y = TOP

    def word(self, key: str, **values: Formula) -> str:
        """Return words with values put in; `{x}` is the unknown."""
        written = {name: self.notation.write(value) for name, value in values.items()}
        words = WORDS[key][LANGUAGES.index(self.notation.language)]
        return words.format(**{"x": self.notation.unknown, **written})

    def step(self, key: str, type: str = "math", **values: Formula) -> None:
        """Begin a step; the one before is dropped if nothing was said in it."""
        if self.steps and not self.steps[-1].parts:
            self.steps.pop()
        self.steps.append(Step(self.word(f"title.{key}", **values), type))

    def say(self, key: str, *formulas: Formula, on: bool = False, **values: Formula) -> None:
        """Add a sentence and the formulas it announces; `on`: in the paragraph of the one before."""
        self._append(self.word(key, **values), " " if on else "\n\n")
        for formula in formulas:
            self.show(formula)

    def show(self, formula: Formula, color: str = "ink", *, board: bool = True) -> None:
        """Add a formula on a line of its own, in the text and, unless it is an aside, on the board."""
        tex = self.notation.write(formula)
        if len(tex) + 4 > MAX_FORMULA:
            raise CannotAnswer("a formula is too long")
        self._append(f"$${tex}$$", "\n\n")
        width = breadth(tex)
        if not board or width > ROOM // 11:
            return
        height = 76 if r"\frac" in tex else 52
        if self._y + height > BOTTOM:
            self._page += 1
            self._y = TOP
            self.draw("page", f"page{self._page}", title=self.steps[-1].title)
        self._line += 1
        size = "m" if width <= ROOM // 16 else "s"
        alt = self.notation.aloud(tex)
        self.draw("math", f"line{self._line}", tex=tex, x=LEFT, y=self._y, size=size, color=color, alt=alt)
        self._y += height

    def draw(self, op: str, id: str, **parameters: Any) -> None:
        if len(alt := parameters.get("alt", "")) > MAX_ALT:
            parameters["alt"] = f"{alt[: MAX_ALT - 1]}…"
        self.steps[-1].parts.append(Drawn({"op": op, "id": id, **parameters}))

    def _append(self, text: str, separator: str) -> None:
        step = self.steps[-1]
        step.parts.append(Said(separator + text if step.parts else text))

    def pieces(self) -> Iterator[Piece]:
        """Tell everything from the beginning."""
        characters = sum(len(step.content) for step in self.steps)
        yield Plan(tuple(step.title for step in self.steps), round(characters / READING_PACE, 1))
        yield from self.rest(Recording(self.notation.language))

    def rest(self, written: Recording) -> Iterator[Piece]:
        """Tell what follows what is written; raises `CannotAnswer` if another author has written it."""
        for number, done in enumerate(written.steps):
            step = self.steps[number] if number < len(self.steps) else Step("", "")
            stands = step.content == done.content if done.closed else step.content.startswith(done.content)
            if (step.title, step.type) != (done.title, done.type) or not stands:
                raise CannotAnswer("another answer has been begun")
        begun = written.open_step
        said, drawn = (len(begun.content), len(begun.commands)) if begun else (0, 0)
        for number, step in enumerate(self.steps):
            if number >= len(written.steps):
                yield StepOpened(step.title, step.type)
            elif written.steps[number].closed:
                continue
            for part in step.parts:
                if isinstance(part, Drawn):
                    if not drawn:
                        yield part
                    drawn = max(0, drawn - 1)
                    continue
                if said < len(part.text):
                    yield Said(part.text[said:])
                said = max(0, said - len(part.text))
            yield StepClosed()


def breadth(tex: str) -> int:
    """Estimate how many characters wide a formula is when it is set."""
    flat, changes = re.sub(r"\\(?:left|right|,)|\{,\}|\\sqrt|\\(?=sin|cos|tan|ln)", "", tex), 1
    while changes:
        flat, changes = _FRACTION.subn(lambda bar: max(bar[1], bar[2], key=len), flat)
    return len(re.sub(r"\\[a-z]+|[{}]", "", flat))
