"""Graphs beside an explanation: lines, parabolas and where they meet, functions and how steep they are."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor, isnan, log10
from typing import Any

from answers.expressions import MAX_LENGTH
from answers.generation.maths.notation import Notation, finite_decimals
from answers.generation.maths.polynomials import Form, Polynomial, linear
from answers.generation.maths.telling import Telling
from answers.generation.maths.trees import FUNCTIONS, Operation, Tree, Unknown, Value, grouped
from answers.generation.maths.verification import Root, value_at

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


def draw_system(
    telling: Telling, names: tuple[str, str], rows: Sequence[Form], crossing: Mapping[str, Fraction] | None
) -> None:
    """Draw the lines row = 0, and where they cross; None: they are parallel, or one."""
    notation = telling.notation
    feet = [
        {name: -row[name] * row[""] / sum(row[each] ** 2 for each in names) for name in names} for row in rows
    ]
    seen = [[point[name] for point in ([crossing] if crossing else feet)] for name in names]
    if max(abs(number) for numbers in seen for number in numbers) > LIMIT:
        return
    telling.step("system.lines", "text")
    telling.say("system.lines")
    across, upward = (_around(0, *numbers, margin=0.5, least=3) for numbers in seen)
    _axes(telling, across, upward, *names)
    same = not crossing and feet[0] == feet[1]
    for n, row in enumerate(rows, start=1):
        tex = equation_of(notation, row)
        telling.say("system.line.same" if same and n == 2 else "system.line", on=n == 2, n=n, line=tex)
        style = {"color": ("accent", "info")[n - 1], "stroke": "dashed" if same and n == 2 else "solid"}
        style |= {"label": f"({n})", "alt": telling.word("alt.line", curve=notation.aloud(tex))}
        a, b = (row[name] for name in names)
        if b:
            line = Polynomial({1: -a / b, 0: -row[""] / b})
            telling.draw("plot", f"line{n}-graph", **{"in": "graph"}, expr=_expression(line), **style)
        else:
            ends = [[_rounded(-row[""] / a), end] for end in upward]
            telling.draw("line", f"line{n}-graph", **{"in": "graph"}, points=ends, **style)
    if not crossing:
        telling.say("system.same" if same else "system.parallel")
        return
    first, second = (notation.equation(name, crossing[name]) for name in names)
    telling.say("system.meet", first=first, second=second)
    label = "; ".join(_label(notation, name, Root(crossing[name])) for name in names)
    where = telling.word("alt.meet", where=f"{notation.aloud(first)}, {notation.aloud(second)}")
    _point(telling, "solution", (crossing[names[0]], crossing[names[1]]), label, where)


def equation_of(notation: Notation, row: Form) -> str:
    """Write row = 0 with the number on the right."""
    return notation.equation(Form({**row, "": 0}), -row[""])


def draw_function(
    telling: Telling, curves: Mapping[str, Tree], tangent: tuple[float, float, float], words: dict[str, Any]
) -> None:
    """Draw a function and its derivative by their names, and a tangent: where, how high, how steep."""
    expressions = [_course(curve) for curve in curves.values()]
    where, height, slope = tangent
    window = _window(list(curves.values()), where, height)
    if not window or any(len(expression) > MAX_LENGTH for expression in expressions):
        return
    (across, upward), named = window, zip(("curve", "slope"), curves.items(), expressions, strict=True)
    telling.step("derivative.lines", "text")
    for key, (name, curve), expression in named:
        tex = telling.notation.equation(name, curve)
        telling.say(f"derivative.{key}", on=key == "slope", name=name)
        if key == "curve":
            _axes(telling, across, upward)
        alt = telling.word("alt.curve", curve=telling.notation.aloud(tex))
        color = "accent" if key == "curve" else "info"
        telling.draw("plot", key, **{"in": "graph"}, expr=expression, label=name, color=color, alt=alt)
    telling.say("derivative.tangent", **words)
    told = {name: telling.notation.aloud(tex) for name, tex in words.items()}
    line = linear(*(Fraction(str(_rounded(number))) for number in (slope, height - slope * where)))
    domain = [_rounded(max(across[0], where - 2)), _rounded(min(across[1], where + 2))]
    style = {"color": "good", "stroke": "dashed", "alt": telling.word("alt.tangent", **told)}
    telling.draw("plot", "tangent", **{"in": "graph"}, expr=_expression(line), domain=domain, **style)
    label = words["slope"].replace("{,}", ",").replace(r"\approx", "≈")
    _point(telling, "contact", (where, height), label, telling.word("alt.contact", **told))


def _window(curves: Sequence[Tree], where: float, height: float) -> tuple[Range, Range] | None:
    """Choose a part of the plane in which curves are to be seen well, the widest if they fit into it."""
    window = None
    for reach in (6, 4, 3, 2, 1):
        across, most = [reach * n / 60 for n in range(-60, 61)], 8 * reach
        points = [(x, y) for x in across for curve in curves if not isnan(y := value_at(curve, x))]
        if not points or abs(where) > reach or abs(height) > most:
            continue
        heights = sorted(y for _, y in points)
        low, high = (heights[int(len(heights) * part)] for part in (0.1, 0.9))
        left, clipped = reach if points[0][0] < 0 else 1, (max(low, -most), min(high, most))
        window = (-left, reach), _around(0, *clipped, height, margin=0.15)
        if clipped == (low, high):
            break
    return window


def _course(tree: Tree) -> str:
    """Write a function for a `plot`."""
    match tree:
        case Value(top, bottom):
            return str(top) if bottom == 1 and top >= 0 else f"({tree.fraction})"
        case Unknown():
            return "x"
        case Operation("-", (inner,)):
            return f"(-{_wrapped('*', inner, behind=True)})"
        case Operation(sign, (inner,)):
            return f"{sign}({_course(inner)})"
    sign, (first, second) = tree.sign, tree.parts
    return _wrapped(sign, first, behind=False) + sign + _wrapped(sign, second, behind=True)


def _wrapped(sign: str, part: Tree, behind: bool) -> str:
    loose = grouped(":" if sign == "/" else sign, part, behind) or (behind and part.sign == "/")
    return f"({_course(part)})" if loose and part.sign not in FUNCTIONS else _course(part)


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


def _axes(telling: Telling, across: Range, upward: Range, x: str = "", y: str = "y") -> None:
    x = x or telling.notation.unknown
    ranges: dict[str, Any] = {
        "xr": list(across),
        "yr": list(upward),
        "xt": _tick(*across),
        "yt": _tick(*upward),
    }
    labels = {"xl": x, "yl": "" if x == y else y}
    telling.draw("axes", "graph", **PLACE, **ranges, **labels, grid=True, alt=telling.word("alt.axes", x=x))


def _plot(telling: Telling, id: str, curve: Polynomial, color: str, alt: str) -> None:
    told = telling.word(alt, curve=telling.notation.aloud(telling.notation.write(curve)))
    telling.draw("plot", id, **{"in": "graph"}, expr=_expression(curve), color=color, alt=told)


def _point(telling: Telling, id: str, place: tuple[Number, Number], label: str, alt: str) -> None:
    x, y = map(_rounded, place)
    telling.draw(
        "point", id, **{"in": "graph"}, x=x, y=y, label=label.replace("-", "−"), color="good", alt=alt
    )


def _label(notation: Notation, name: str, root: Root) -> str:
    """Write a solution without LaTeX, with two decimals unless fewer are exact."""
    exact = None if root.factor else finite_decimals(root.centre)
    places, sign = (2, "≈") if exact is None or exact > 2 else (exact, "=")
    number = f"{float(root):.{places}f}"
    return f"{name} {sign} {number.replace('.', ',') if notation.language != 'en' else number}"


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
