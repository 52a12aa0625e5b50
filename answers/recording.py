"""An explanation as something to be played, perhaps while it is still being written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from answers.errors import AnswersError
from answers.showing import as_shown
from answers.text import Cuts


@dataclass(slots=True)
class RecordedStep:
    """One step as far as it is written. `commands` are in telling order, each with its `at`.

    `shown`: those of them that have been shown, as they are shown.
    """

    title: str
    type: str
    content: str = ""
    commands: list[dict[str, Any]] = field(default_factory=list)
    shown: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False
    cuts: Cuts = field(default_factory=Cuts)

    @property
    def playable(self) -> int:
        """How many code points may be shown: all of a closed step, else up to the last certain cut."""
        return self.cuts.certain(self.content, self.closed)


class Recording:
    """Steps that only ever grow: what stands is never changed, so that whatever was shown stays true."""

    def __init__(self, language: str, question: str = "") -> None:
        self.language = language
        self.question = question  # in the words that stand with the answer; empty where nobody needs them
        self.steps: list[RecordedStep] = []
        self.planned_steps = 0  # what `total_steps` says while the answer is being written
        self.duration = 0.0  # the author's estimate in seconds; it never paces
        self.complete = False
        self.failure: AnswersError | None = None  # set when nothing more will be written
        self.answer_id: str | None = None  # set once it is saved

    @classmethod
    def of(
        cls,
        steps: Iterable[Mapping[str, Any]],
        duration: float,
        answer_id: str | None,
        language: str,
        question: str = "",
    ) -> "Recording":
        """Return the recording of a finished answer from its `answer_steps`."""
        recording = cls(language, question)
        recording.take(steps, duration, answer_id)
        return recording

    def take(self, steps: Iterable[Mapping[str, Any]], duration: float, answer_id: str | None) -> None:
        """Become the recording of a finished answer, of which this may hold the beginning."""
        self.steps = [
            RecordedStep(
                step["title"],
                step["type"],
                step["content"],
                list(step["canvas_commands"]),
                closed=True,
            )
            for step in steps
        ]
        self.duration, self.answer_id, self.complete = duration, answer_id, True

    def begins(self, steps: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the text of a finished answer begins with all that is written here."""
        if not self.has_text:
            return True
        return len(self.steps) <= len(steps) and all(
            (mine.title, mine.type) == (step["title"], step["type"])
            and mine.commands == step["canvas_commands"][: len(mine.commands)]
            and (mine.content == step["content"] if mine.closed else step["content"].startswith(mine.content))
            for mine, step in zip(self.steps, steps, strict=False)
        )

    @property
    def total_steps(self) -> int:
        return len(self.steps) if self.complete else max(self.planned_steps, len(self.steps))

    @property
    def open_step(self) -> RecordedStep | None:
        """The step being written, if one is."""
        return self.steps[-1] if self.steps and not self.steps[-1].closed else None

    @property
    def has_text(self) -> bool:
        """Whether there is something to show."""
        return any(step.closed or step.content or step.commands for step in self.steps)

    def plan(self, planned_steps: int, duration: float) -> None:
        self.planned_steps, self.duration = planned_steps, duration

    def begin_step(self, title: str, type: str) -> None:
        if self.complete or self.open_step:
            raise RuntimeError("a step can begin only after the one before has ended")
        self.steps.append(RecordedStep(title, type))

    def say(self, text: str) -> None:
        self._writable().content += text

    def draw(self, command: Mapping[str, Any]) -> None:
        step = self._writable()
        step.commands.append({**command, "at": len(step.content)})

    def end_step(self) -> None:
        self._writable().closed = True

    def finish(self) -> None:
        if self.open_step:
            raise RuntimeError("the last step is still open")
        self.complete = True

    def as_steps(self) -> list[dict[str, Any]]:
        """Return the `answer_steps` of what is written."""
        return [
            {
                "title": step.title,
                "type": step.type,
                "content": step.content,
                "canvas_commands": step.commands,
            }
            for step in self.steps
        ]

    def shown(self, step: int, count: int | None = None) -> list[dict[str, Any]]:
        """Return the first `count` commands of a step, from 1, or all, as they are shown.

        Each is made ready once, when it is first shown to anybody.
        """
        told = self.steps[step - 1]
        for n in range(len(told.shown), len(told.commands) if count is None else count):
            command = told.commands[n]
            axes = self._drawn(command["in"], step, n) if "expr" in command else None
            told.shown.append(as_shown(command, axes, self.language))
        return told.shown[:count]

    def as_shown(self) -> list[dict[str, Any]]:
        """Return the steps as students get them, which is how they are stored but for the commands."""
        return [
            {**step, "canvas_commands": self.shown(number)} for number, step in enumerate(self.as_steps(), 1)
        ]

    def _drawn(self, id: str, step: int, n: int) -> dict[str, Any] | None:
        """Return the last command with an id before the `n`-th of a step."""
        before = chain(
            reversed(self.steps[step - 1].commands[:n]),
            *(reversed(earlier.commands) for earlier in reversed(self.steps[: step - 1])),
        )
        return next((command for command in before if command.get("id") == id), None)

    def _writable(self) -> RecordedStep:
        step = self.open_step
        if step is None:
            raise RuntimeError("no step is open")
        return step
