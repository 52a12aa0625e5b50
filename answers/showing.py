"""What the server adds to a command when it is shown: words for those who do not see it, a curve's points."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from answers.expressions import sample
from answers.spoken import Tongue, spoken, spoken_text

MAX_ALT = 200  # code points

_PHRASES = {
    "formula": ("Fórmula: {}", "Formula: {}"),
    "rect": ("Rectángulo", "Rectangle"),
    "round": ("Rectángulo redondeado", "Rounded rectangle"),
    "ellipse": ("Elipse", "Ellipse"),
    "circle": ("Círculo", "Circle"),
    "triangle": ("Triángulo", "Triangle"),
    "diamond": ("Rombo", "Diamond"),
    "polygon": ("Polígono de {} vértices", "Polygon with {} corners"),
    "arc": ("Arco", "Arc"),
    "brace": ("Llave", "Brace"),
    "line": ("Línea", "Line"),
    "arrow": ("Flecha", "Arrow"),
    "from to": ("{} de {} a {}", "{} from {} to {}"),
    "axes": ("Ejes: {} de {} a {}, {} de {} a {}", "Axes: {} from {} to {}, {} from {} to {}"),
    "number line": ("Recta numérica de {} a {}", "Number line from {} to {}"),
    "graph": ("Gráfica de {}", "Graph of {}"),
    "graph between": ("Gráfica de {} para x entre {} y {}", "Graph of {} for x between {} and {}"),
    "data": ("Gráfica de {} puntos", "Graph of {} points"),
    "point": ("Punto", "Point"),
    "table": ("Tabla de {} × {}: {}", "Table of {} × {}: {}"),
    "image": ("Imagen", "Image"),
}
Command = Mapping[str, Any]


def with_alt(command: dict[str, Any], language: str) -> dict[str, Any]:
    """Return the command with words for what it draws: its author's, else composed ones."""
    if command.get("op") not in _COMPOSERS or command.get("alt"):
        return command
    return {**command, "alt": compose_alt(command, language)}


def with_points(command: dict[str, Any], xr: Sequence[float]) -> dict[str, Any]:
    """Return the command, a plot's `expr` with the `points` [x, y] of its curve.

    `xr`: the range of its axes, for a plot that has no `domain` of its own.
    """
    if command.get("op") != "plot" or "expr" not in command:
        return command
    return {**command, "points": sample(command["expr"], command.get("domain", xr))}


def compose_alt(command: Command, language: str) -> str:
    """Return what a checked command draws in Spanish or English words, empty for what draws nothing.

    At most `MAX_ALT` code points, without LaTeX. Any language but English is told in Spanish.
    """
    compose = _COMPOSERS.get(command["op"])
    if compose is None:
        return ""
    tongue: Tongue = "en" if language[:2].lower() == "en" else "es"
    words = compose(command, tongue)
    if label := spoken_text(command.get("label", ""), tongue):
        words = f"{words}: {label}"
    if len(words) > MAX_ALT:
        words = words[: MAX_ALT - 1].rsplit(" ", 1)[0] + "…"
    return words


def _phrase(name: str, tongue: Tongue, *values: object) -> str:
    return _PHRASES[name][tongue == "en"].format(*values)


def _number(value: float) -> str:
    return f"{value:.10g}"


def _text(command: Command, tongue: Tongue) -> str:
    return spoken_text(command["text"], tongue)


def _math(command: Command, tongue: Tongue) -> str:
    return _phrase("formula", tongue, spoken(command["tex"], tongue))


def _shape(command: Command, tongue: Tongue) -> str:
    form = command["form"]
    if form == "ellipse" and command["w"] == command["h"]:
        form = "circle"
    return _phrase(form, tongue, len(command.get("points", ())))


def _line(command: Command, tongue: Tongue) -> str:
    kind = _phrase("line" if command.get("arrow", "none") == "none" else "arrow", tongue)
    if "points" not in command:
        return _phrase("from to", tongue, kind, command["from"], command["to"])
    if "in" not in command:  # the page's own coordinates tell nobody anything
        return kind
    return _phrase("from to", tongue, kind, _pair(command["points"][0]), _pair(command["points"][-1]))


def _pair(point: list[float]) -> str:
    return f"({_number(point[0])}, {_number(point[1])})"


def _axes(command: Command, tongue: Tongue) -> str:
    across = [*map(_number, command["xr"])]
    if "yr" not in command:
        return _phrase("number line", tongue, *across)
    names = [spoken_text(command.get(key, ""), tongue) or key[0] for key in ("xl", "yl")]
    return _phrase("axes", tongue, names[0], *across, names[1], *map(_number, command["yr"]))


def _plot(command: Command, tongue: Tongue) -> str:
    if "expr" not in command:
        return _phrase("data", tongue, len(command["data"]))
    if "domain" not in command:
        return _phrase("graph", tongue, command["expr"])
    return _phrase("graph between", tongue, command["expr"], *map(_number, command["domain"]))


def _point(command: Command, tongue: Tongue) -> str:
    name = _phrase("point", tongue)
    return f"{name} {_pair([command['x'], command['y']])}" if "in" in command else name


def _table(command: Command, tongue: Tongue) -> str:
    rows = command["rows"]
    cells = "; ".join(", ".join(spoken_text(cell, tongue) for cell in row) for row in rows)
    return _phrase("table", tongue, len(rows), max(map(len, rows)), cells)


def _image(command: Command, tongue: Tongue) -> str:
    return _phrase("image", tongue)


_COMPOSERS: dict[str, Callable[[Command, Tongue], str]] = {
    "text": _text,
    "math": _math,
    "shape": _shape,
    "line": _line,
    "axes": _axes,
    "plot": _plot,
    "point": _point,
    "table": _table,
    "image": _image,
}
