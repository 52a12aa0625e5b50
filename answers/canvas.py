"""The board's vocabulary: thirteen commands, told apart by `op`.

The page is 1280 × 720 with its origin at the top left and y downwards; an object with `in` counts in the
units of those axes, y upwards. Whatever is drawn has an `id`, and drawing the same `id` again changes it.
A parameter that is null counts as left out.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.json_schema import models_json_schema

from answers.errors import InvalidContent
from answers.expressions import MAX_LENGTH, parse
from answers.gate import misplaced, problems, storable
from answers.showing import MAX_ALT, compose_alt

__all__ = ["COMMANDS", "CheckedCommand", "canvas_schema", "check_command", "compose_alt", "read_command"]


def _as_given(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Keep whole numbers whole, as their author wrote them."""
    check(value)
    return value


def _number_or_id(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError:
        raise ValueError("Input should be a number or the id of a plot") from None


def _stretch(ends: list[float]) -> list[float]:
    if ends[0] == ends[1]:
        raise ValueError("the two ends are the same")
    return ends


def _expression(expr: str) -> str:
    parse(expr)
    return expr


Number = Annotated[float, Field(allow_inf_nan=False), WrapValidator(_as_given)]
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False), WrapValidator(_as_given)]
Length = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False), WrapValidator(_as_given)]
Gap = Annotated[float, Field(ge=0, le=200, allow_inf_nan=False), WrapValidator(_as_given)]
Sweep = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False), WrapValidator(_as_given)]
Pair = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]
Range = Annotated[list[Number], Field(min_length=2, max_length=2), AfterValidator(_stretch)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Ids = Annotated[list[Id], Field(min_length=1, max_length=32)]
Asset = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Label = Annotated[str, Field(max_length=80), AfterValidator(storable)]
Alt = Annotated[str, Field(max_length=MAX_ALT), AfterValidator(storable)]
WrittenAlt = Annotated[str, Field(min_length=1, max_length=MAX_ALT), AfterValidator(storable)]
Words = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(storable)]
Cell = Annotated[str, Field(max_length=120), AfterValidator(storable)]
Row = Annotated[list[Cell], Field(min_length=1, max_length=8)]
Expression = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH), AfterValidator(_expression)]

Color = Literal["ink", "muted", "accent", "info", "good", "warn", "bad", "mark"]
Fill = Literal["none", "ink", "muted", "accent", "info", "good", "warn", "bad", "mark"]
Size = Literal["xs", "s", "m", "l", "xl"]
Stroke = Literal["solid", "dashed", "dotted"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    def _has(self, *names: str) -> bool:
        return all(getattr(self, name) is not None for name in names)


class Command(_Strict):
    op: str
    at: Annotated[int, Field(ge=0)] | None = None


class Timed(Command):
    dur: Annotated[int, Field(ge=0, le=5000)] | None = None  # milliseconds, a hint


class Drawing(Timed):
    """Something that stands on the board."""

    id: Id
    alt: Alt | None = None
    hidden: bool | None = None


class Place(_Strict):
    ref: Id
    side: Literal["above", "below", "left", "right", "center"]
    align: Literal["start", "center", "end"] | None = None
    gap: Gap | None = None


class Placed(Drawing):
    """Something that stands at a point, or beside something else."""

    x: Coordinate | None = None
    y: Coordinate | None = None
    place: Place | None = None

    @model_validator(mode="after")
    def _stands_somewhere(self) -> "Placed":
        given = [name for name in ("x", "y", "place") if self._has(name)]
        if given not in (["x", "y"], ["place"]):
            raise ValueError("either x and y, or place")
        return self


class Text(Placed):
    op: Literal["text"]
    text: Words
    w: Length | None = None
    size: Size | None = None
    align: Literal["left", "center", "right"] | None = None
    color: Color | None = None
    fill: Fill | None = None
    in_: Id | None = Field(None, alias="in")


class Math(Placed):
    op: Literal["math"]
    tex: Words
    size: Size | None = None
    align: Literal["left", "center", "right"] | None = None
    color: Color | None = None
    in_: Id | None = Field(None, alias="in")


class Shape(Drawing):
    op: Literal["shape"]
    form: Literal["rect", "round", "ellipse", "triangle", "diamond", "polygon", "arc", "brace"]
    x: Coordinate | None = None
    y: Coordinate | None = None
    w: Length | None = None
    h: Length | None = None
    points: Annotated[list[Pair], Field(min_length=3, max_length=64)] | None = None
    start: Number | None = None  # degrees, as `sweep`
    sweep: Sweep | None = None
    color: Color | None = None
    fill: Fill | None = None
    stroke: Stroke | None = None
    label: Label | None = None
    in_: Id | None = Field(None, alias="in")

    @model_validator(mode="after")
    def _has_an_outline(self) -> "Shape":
        if self.form == "polygon" and not self._has("points"):
            raise ValueError("a polygon needs points")
        if self.form != "polygon" and not self._has("x", "y", "w", "h"):
            raise ValueError(f"the form {self.form} needs x, y, w and h")
        return self


class Line(Drawing):
    op: Literal["line"]
    points: Annotated[list[Pair], Field(min_length=2, max_length=64)] | None = None
    from_: Id | None = Field(None, alias="from")
    to: Id | None = None
    arrow: Literal["none", "end", "start", "both"] | None = None
    curve: bool | None = None
    color: Color | None = None
    stroke: Stroke | None = None
    label: Label | None = None
    in_: Id | None = Field(None, alias="in")

    @model_validator(mode="after")
    def _has_ends(self) -> "Line":
        if self._has("points") == self._has("from_", "to"):
            raise ValueError("either points, or from and to")
        return self


class Axes(Drawing):
    """Axes, or without `yr` a number line."""

    op: Literal["axes"]
    x: Coordinate
    y: Coordinate
    w: Length
    h: Length
    xr: Range
    yr: Range | None = None
    xt: Length | None = None
    yt: Length | None = None
    xl: Label | None = None
    yl: Label | None = None
    grid: bool | None = None


class Plot(Drawing):
    op: Literal["plot"]
    in_: Id = Field(alias="in")
    expr: Expression | None = None
    domain: Range | None = None
    data: Annotated[list[Pair], Field(min_length=1, max_length=256)] | None = None
    marks: bool | None = None
    fill_to: Annotated[Number | Id, WrapValidator(_number_or_id)] | None = None
    color: Color | None = None
    stroke: Stroke | None = None
    label: Label | None = None

    @model_validator(mode="after")
    def _has_a_course(self) -> "Plot":
        if self._has("expr") == self._has("data"):
            raise ValueError("either expr or data")
        return self


class Point(Drawing):
    op: Literal["point"]
    x: Coordinate
    y: Coordinate
    mark: Literal["dot", "open", "cross"] | None = None
    color: Color | None = None
    label: Label | None = None
    in_: Id | None = Field(None, alias="in")


class Table(Placed):
    op: Literal["table"]
    rows: Annotated[list[Row], Field(min_length=1, max_length=20)]
    w: Length | None = None
    head: bool | None = None


class Image(Drawing):
    op: Literal["image"]
    asset: Asset
    x: Coordinate
    y: Coordinate
    w: Length
    h: Length
    alt: WrittenAlt


class Page(Command):
    """A fresh board; the one before stays to be looked at."""

    op: Literal["page"]
    id: Id
    title: Label | None = None


class Erase(Timed):
    op: Literal["erase"]
    ids: Ids


class Camera(Timed):
    """What of the page is seen; its height follows 16:9."""

    op: Literal["camera"]
    fit: Ids | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None
    w: Length | None = None

    @model_validator(mode="after")
    def _sees_something(self) -> "Camera":
        if self._has("fit") == self._has("x", "y", "w"):
            raise ValueError("either fit, or x, y and w")
        return self


class Focus(Timed):
    """Points at something for a moment; leaves no trace on the board."""

    op: Literal["focus"]
    ids: Ids
    how: Literal["outline", "spotlight", "underline", "pulse", "pointer"] | None = None


COMMANDS: dict[str, type[Command]] = {
    "text": Text,
    "math": Math,
    "shape": Shape,
    "line": Line,
    "axes": Axes,
    "plot": Plot,
    "point": Point,
    "table": Table,
    "page": Page,
    "erase": Erase,
    "camera": Camera,
    "focus": Focus,
    "image": Image,
}


def canvas_schema() -> dict[str, Any]:
    """Return the JSON Schema of a command, without the rules that bind two parameters."""
    references, schema = models_json_schema([(model, "validation") for model in COMMANDS.values()])
    return {**schema, "oneOf": list(references.values())}


def read_command(data: Mapping[str, Any], *, at: int | None = None) -> dict[str, Any]:
    """Return a command as plain JSON, with only what was given; `InvalidContent` names what is wrong.

    `at`: where it stands, whatever the command itself says of it.
    """
    try:
        return check_command(data if at is None else {**data, "at": at})
    except ValidationError as error:
        raise InvalidContent(problems(error)) from None  # its text would repeat what was written


def check_command(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise misplaced((), "Input should be an object")
    op = value.get("op")
    model = COMMANDS.get(op) if isinstance(op, str) else None
    if model is None:
        raise misplaced(("op",), f"Input should be one of {', '.join(COMMANDS)}")
    command = model.model_validate(dict(value))
    # No warnings: a whole number may stand for a float.
    return command.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, warnings=False)


CheckedCommand = Annotated[dict[str, Any], PlainValidator(check_command)]
