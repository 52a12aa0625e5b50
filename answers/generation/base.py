"""What a provider of answers is, and the pieces in which it tells one.

An answer is told in order: a `Plan`, then for each step `StepOpened`, what is `Said` and `Drawn` in the
order in which it happens, and `StepClosed`. A provider that returns without an error has told it whole.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from answers.questions import Question
from answers.recording import Recording


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be told: the titles of the steps, and its length in seconds."""

    titles: tuple[str, ...]
    duration: float


@dataclass(frozen=True, slots=True)
class StepOpened:
    title: str
    type: str


@dataclass(frozen=True, slots=True)
class Said:
    """The next words of the open step; a growing prefix, never a correction."""

    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A canvas command at this place of the open step, without `at`: the server knows where it stands."""

    command: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StepClosed:
    pass


Piece = Plan | StepOpened | Said | Drawn | StepClosed


class Provider(Protocol):
    """A source of answers. To add one: implement this and name it in `generation.providers`."""

    source: str  # the column `source` of what it writes: `model` or `maths`
    model: str
    prompt_version: str

    def explain(self, question: Question, written: Recording | None = None) -> AsyncGenerator[Piece, None]:
        """Tell the answer to a question piece by piece.

        `written`: what an attempt before has already told, its last step perhaps open. It stands: only
        what follows is told, without a `Plan`, beginning inside the open step if there is one.
        Raises `CannotAnswer` before the first piece, `GenerationError` at any time.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
