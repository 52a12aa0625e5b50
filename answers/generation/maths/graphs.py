"""Graphs beside an explanation: both sides of an equation as lines, a parabola, and where they meet."""

from fractions import Fraction
from math import ceil, floor, log10
from typing import Any

from answers.generation.maths.notation import Notation, finite_decimals
from answers.generation.maths.polynomials import Polynomial
from answers.generation.maths.telling import Telling
from answers.generation.maths.verification import Root

PLACE = {"x": 760, "y": 96, "w": 440, "h": 440}
LIMIT = 1000  # beyond, there is nothing to see

Number = Fraction | float
Range = tuple[int, int]


def draw_lines(
    telling: Telling, equation: str, left: Polynomial, right: Polynomial, solution: Fraction | None
) -> None:
    """Draw both sides of an equation as lines, and where they cross, if they do."""
    notation, crossing = telling.notation, solution or Fraction(0)
    heights = [left(crossing), left[0], right[0]]
    if max(abs(number) for number in (crossing, *heights)) > LIMIT:
        return
    telling.step("lines", "text")
    telling.say("lines", equation=equation)
    across = _around(0, crossing, margin=0.5, least=2)
    _axes(telling, across, _around(0, *heights, margin=0.3, least=2))
    for side, name, color in ((left, "left", "accent"), (right, "right", "info")):
        telling.say(f"lines.{name}", on=True, side=side)
        _plot(telling, name, side, color, "alt.line")
    if solution is None:
        telling.say("lines.parallel")
        return
    telling.say("lines.meet", value=solution)
    where = notation.aloud(notation.equation(notation.unknown, solution))
    label = _label(notation, notation.unknown, Root(solution))
    _point(telling, "solution", (solution, heights[0]), label, telling.word("alt.meet", where=where))


def draw_parabola(telling: Telling, curve: Polynomial, roots: list[Root]) -> None:
    """Draw a parabola and where it meets the axis, if it does."""
    notation, x = telling.notation, telling.notation.unknown
    middle, lowest = map(float, vertex(curve))
    reach = max([1.0, *(abs(float(root) - middle) for root in roots)]) * 1.5
    edge = float(curve[2]) * reach**2 + lowest
    if max(abs(middle) + reach, abs(lowest), abs(edge)) > LIMIT:
        return
    telling.step("parabola", "text")
    telling.say("parabola", curve=curve)
    across = _around(middle - reach, middle + reach, margin=0.1, least=0.5)
    _axes(telling, across, _around(0, lowest, edge, margin=0.1))
    _plot(telling, "curve", curve, "accent", "alt.parabola.up" if curve[2] > 0 else "alt.parabola.down")
    telling.say(f"parabola.{('none', 'one', 'two')[len(roots)]}", on=True)
    names = (x,) if len(roots) == 1 else (f"{x}₁", f"{x}₂")
    for number, (name, root) in enumerate(zip(names, roots, strict=False), start=1):
        label = _label(notation, name, root)
        _point(telling, f"root{number}", (float(root), 0), label, telling.word("alt.root", where=label))


def vertex(curve: Polynomial) -> tuple[Fraction, Fraction]:
    """Return where a quadratic has its least or greatest value, and that value."""
    where = -curve[1] / (2 * curve[2])
    return where, curve(where)


def _axes(telling: Telling, across: Range, upward: Range) -> None:
    x = telling.notation.unknown
    ranges: dict[str, Any] = {
        "xr": list(across),
        "yr": list(upward),
        "xt": _tick(*across),
        "yt": _tick(*upward),
    }
    labels = {"xl": x, "yl": "" if x == "y" else "y"}
    telling.draw("axes", "graph", **PLACE, **ranges, **labels, grid=True, alt=telling.word("alt.axes"))


def _plot(telling: Telling, id: str, curve: Polynomial, color: str, alt: str) -> None:
    told = telling.word(alt, curve=telling.notation.aloud(telling.notation.write(curve)))
    telling.draw("plot", id, **{"in": "graph"}, expr=_expression(curve), color=color, alt=told)


def _point(telling: Telling, id: str, place: tuple[Number, Number], label: str, alt: str) -> None:
    x, y = map(_rounded, place)
    telling.draw("point", id, **{"in": "graph"}, x=x, y=y, label=label, color="good", alt=alt)


def _label(notation: Notation, name: str, root: Root) -> str:
    """Write a solution without LaTeX, with two decimals unless fewer are exact."""
    exact = None if root.factor else finite_decimals(root.centre)
    places, sign = (2, "≈") if exact is None or exact > 2 else (exact, "=")
    number = f"{float(root):.{places}f}"
    return f"{name} {sign} {number.replace('.', ',') if notation.language == 'es' else number}"


def _tick(low: int, high: int) -> float:
    """Return a distance of 1, 2 or 5 × 10ⁿ that divides a range into at most ten."""
    least = (high - low) / 10
    power = 10.0 ** floor(log10(least))
    return _rounded(next(step * power for step in (1, 2, 5, 10) if step * power >= least * 0.999))


def _rounded(number: Number) -> float:
    """Return a number with at most four decimals, whole if it is."""
    short = round(float(number), 4)
    return int(short) if short == int(short) else short


def _around(*values: Number, margin: float, least: float = 1) -> Range:
    """Return a range of whole numbers that holds all values, with room on both sides."""
    low, high = min(values), max(values)
    room = max(float(high - low) * margin, least)
    return floor(low - room), ceil(high + room)


def _expression(curve: Polynomial) -> str:
    """Write a polynomial for a `plot`."""
    terms = []
    for power, coefficient in sorted(curve.items(), reverse=True):
        size = abs(coefficient)
        number = "" if size == 1 and power else str(size) if size.denominator == 1 else f"({size})"
        letter = ("", "x", f"x^{power}")[min(power, 2)]
        terms.append("+-"[coefficient < 0] + "*".join(filter(None, (number, letter))))
    return "".join(terms).removeprefix("+") or "0"
