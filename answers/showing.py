"""What the server adds to a command when it is shown: words for those who do not see it, a curve's points."""

from collections.abc import Callable, Mapping
from typing import Any

from answers.curves import curve
from answers.spoken import Tongue, spoken, spoken_text

MAX_ALT = 200  # code points
RANGE = (-10.0, 10.0)  # of x, for a curve without a domain in axes that nobody drew

_TONGUES: tuple[Tongue, ...] = ("es", "en", "pt")
_PHRASES = {
    "formula": ("Fórmula: {}", "Formula: {}", "Fórmula: {}"),
    "rect": ("Rectángulo", "Rectangle", "Retângulo"),
    "round": ("Rectángulo redondeado", "Rounded rectangle", "Retângulo arredondado"),
    "ellipse": ("Elipse", "Ellipse", "Elipse"),
    "circle": ("Círculo", "Circle", "Círculo"),
    "triangle": ("Triángulo", "Triangle", "Triângulo"),
    "diamond": ("Rombo", "Diamond", "Losango"),
    "polygon": ("Polígono de {} vértices", "Polygon with {} corners", "Polígono de {} vértices"),
    "arc": ("Arco", "Arc", "Arco"),
    "brace": ("Llave", "Brace", "Chave"),
    "line": ("Línea", "Line", "Linha"),
    "arrow": ("Flecha", "Arrow", "Seta"),
    "from to": ("{} de {} a {}", "{} from {} to {}", "{} de {} a {}"),
    "axes": (
        "Ejes: {} de {} a {}, {} de {} a {}",
        "Axes: {} from {} to {}, {} from {} to {}",
        "Eixos: {} de {} a {}, {} de {} a {}",
    ),
    "number line": ("Recta numérica de {} a {}", "Number line from {} to {}", "Reta numérica de {} a {}"),
    "graph": ("Gráfica de {}", "Graph of {}", "Gráfico de {}"),
    "graph between": (
        "Gráfica de {} para x entre {} y {}",
        "Graph of {} for x between {} and {}",
        "Gráfico de {} para x entre {} e {}",
    ),
    "data": ("Gráfica de {} puntos", "Graph of {} points", "Gráfico de {} pontos"),
    "point": ("Punto", "Point", "Ponto"),
    "table": ("Tabla de {} × {}: {}", "Table of {} × {}: {}", "Tabela de {} × {}: {}"),
    "image": ("Imagen", "Image", "Imagem"),
}
Command = Mapping[str, Any]


def as_shown(command: dict[str, Any], axes: Command | None, language: str) -> dict[str, Any]:
    """Return the command with words for what it draws and with the points of a curve, which pages only join.

    The words are its author's, else composed ones. `points`: [x, y] in units of the axes, null where the
    curve breaks. `axes`: the command that drew what a plot stands in, if one did.
    """
    added: dict[str, Any] = {}
    if command.get("op") in _COMPOSERS and not command.get("alt"):
        added["alt"] = compose_alt(command, language)
    if "expr" in command:
        axes = axes or {}
        height = axes.get("yr")
        domain = command.get("domain") or axes.get("xr") or RANGE
        added["points"] = curve(command["expr"], tuple(domain), tuple(height) if height else None)
    return {**command, **added} if added else command


def compose_alt(command: Command, language: str) -> str:
    """Return what a checked command draws in words, empty for what draws nothing.

    At most `MAX_ALT` code points, without LaTeX. A language that has no words here is told in Spanish.
    """
    compose = _COMPOSERS.get(command["op"])
    if compose is None:
        return ""
    tongue = next((known for known in _TONGUES if known == language[:2].lower()), _TONGUES[0])
    words = compose(command, tongue)
    if label := spoken_text(command.get("label", ""), tongue):
        words = f"{words}: {label}"
    if len(words) > MAX_ALT:
        words = words[: MAX_ALT - 1].rsplit(" ", 1)[0] + "…"
    return words


def _phrase(name: str, tongue: Tongue, *values: object) -> str:
    return _PHRASES[name][_TONGUES.index(tongue)].format(*values)


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
