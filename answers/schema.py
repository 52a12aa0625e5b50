"""An explanation as editors save it, files carry it and the wire sends it; whatever comes in is read here."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from answers.canvas import CheckedCommand, check_command
from answers.errors import InvalidContent
from answers.gate import misplaced, problems, storable

MAX_STEPS = 30
MAX_TITLE = 200  # code points
MAX_CONTENT = 20_000  # code points of one step
MAX_COMMANDS = 200  # of one step
MAX_BYTES = 256 * 1024  # of all steps as compact JSON in UTF-8

StepType = Literal["text", "math", "image"]
STEP_TYPES: tuple[str, ...] = get_args(StepType)


def _one_line(title: str) -> str:
    if title.isspace():
        raise ValueError("a title may not be blank")
    if title.splitlines() != [title]:
        raise ValueError("a title is one line")
    return title


def _fitting(content: str) -> str:
    if len(content) - content.count("\r\n") > MAX_CONTENT:
        raise ValueError(f"at most {MAX_CONTENT:,} code points")
    return content


def _part(value: object) -> str | dict[str, Any]:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and value.get("at") is not None:
        raise misplaced(("at",), "a command among parts stands where it happens")
    return check_command(value)


class _Heading(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    title: Annotated[
        str, Field(min_length=1, max_length=MAX_TITLE), AfterValidator(_one_line), AfterValidator(storable)
    ]
    type: StepType


class _ToldStep(_Heading):
    """The authoring form of a step: text and commands in telling order."""

    parts: Annotated[
        list[Annotated[str | dict[str, Any], PlainValidator(_part)]],
        Field(max_length=MAX_CONTENT + MAX_COMMANDS),
    ]

    def compiled(self) -> dict[str, Any]:
        texts: list[str] = []
        commands: list[dict[str, Any]] = []
        length = 0
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
                length += len(part)
            else:
                commands.append({**part, "at": length})
        return {
            "title": self.title,
            "type": self.type,
            "content": "".join(texts),
            "canvas_commands": commands,
        }


class Step(_Heading):
    """One step. Its content is kept code point for code point, but for CRLF → LF; commands go by `at`."""

    content: Annotated[str, AfterValidator(_fitting), AfterValidator(storable)]
    canvas_commands: Annotated[list[CheckedCommand], Field(max_length=MAX_COMMANDS)] = []

    @model_validator(mode="after")
    def _place_commands(self) -> "Step":
        for index, command in enumerate(self.canvas_commands):
            at = command.get("at", len(self.content))
            if at > len(self.content):
                raise misplaced(("canvas_commands", index, "at"), "beyond the end of the content")
            # Authors count in the content as they wrote it.
            at = len(self.content[:at].replace("\r\n", "\n"))
            self.canvas_commands[index] = {"op": command["op"], **command, "at": at}
        self.canvas_commands.sort(key=lambda command: command["at"])
        self.content = self.content.replace("\r\n", "\n")
        return self


def _compiled(data: object) -> object:
    return _ToldStep.model_validate(data).compiled() if isinstance(data, dict) and "parts" in data else data


class Explanation(BaseModel):
    """A whole answer; `total_duration` in seconds is its author's estimate and never paces."""

    model_config = ConfigDict(strict=True, extra="forbid")

    answer_steps: Annotated[
        list[Annotated[Step, BeforeValidator(_compiled)]], Field(min_length=1, max_length=MAX_STEPS)
    ]
    total_duration: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0

    @model_validator(mode="after")
    def _not_too_large(self) -> "Explanation":
        compact = json.dumps(self.steps_json(), ensure_ascii=False, separators=(",", ":"))
        if len(compact.encode()) > MAX_BYTES:
            raise misplaced(("answer_steps",), f"at most {MAX_BYTES // 1024} KiB in all")
        return self

    def steps_json(self) -> list[dict[str, Any]]:
        """Return the steps as plain JSON, each command with its `op`, its `at` and what else was given."""
        return [step.model_dump() for step in self.answer_steps]


def read_explanation(data: object) -> Explanation:
    """Return the explanation in `{"answer_steps": [...], "total_duration"?}`, checked whole.

    A step may be written as `{"title", "type", "parts": [text or command, …]}` instead.
    `InvalidContent` names every problem by its place.
    """
    try:
        return Explanation.model_validate(data)
    except ValidationError as error:
        raise InvalidContent(problems(error)) from None  # its text would repeat what was written
