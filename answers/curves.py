"""The graph of a function as points that a page joins: few where it is straight, gaps where it breaks."""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

from answers.expressions import total

MAX_POINTS = 200  # gaps included
INTERVALS = (120, 60, 30)  # between samples; fewer for a graph with so many breaks that there is no room
HALVINGS = 12  # of an interval, until what still leaps in it is a break
FINENESS = 1 / 1000  # of the height that is seen: by how much a straight line may miss a sample
MARGIN = 20  # heights above and below what is seen, where a graph that leaves for infinity ends

Point = tuple[float, float]  # y is NaN where the function is not defined
Stretch = tuple[float, float]


@lru_cache(maxsize=512)
def curve(expr: str, domain: Stretch, height: Stretch | None = None) -> list[list[float] | None]:
    """Return the points [x, y] of an expression's graph in rising x, None where two are not to be joined.

    `height`: the stretch of y that is seen. Six significant digits. `ValueError` for what is no expression.
    """
    function, start, end = total(expr), min(domain), max(domain)

    def at(x: float) -> Point:
        return x, function(x)

    points: list[list[float] | None] = []
    for intervals in INTERVALS:
        samples = [at(start + (end - start) * (n / intervals)) for n in range(intervals + 1)]
        points = []
        for branch in _branches(at, samples):
            points += [None] * bool(points)
            points += [[_rounded(x), _rounded(y)] for x, y in _seen(branch, height)]
        if len(points) <= MAX_POINTS:
            break
    return points


def _branches(at: Callable[[float], Point], samples: list[Point]) -> Iterator[list[Point]]:
    """Yield the stretches in which the graph is one line, each from break to break."""
    branch = list(filter(_is_defined, samples[:1]))
    for left, right in pairwise(samples):
        ends = _break(at, left, right)
        if ends is None:
            branch.append(right)
            continue
        branch += filter(_is_defined, ends[:1])
        if branch:
            yield branch
        branch = list(filter(_is_defined, (ends[1], right)))
    if branch:
        yield branch


def _break(at: Callable[[float], Point], left: Point, right: Point) -> tuple[Point, Point] | None:
    """Return where the graph ends and where it begins again between two points; None if it joins them."""
    if not (_is_defined(left) and _is_defined(right)):
        return _edge(at, left, right)
    most = abs(right[1] - left[1])
    for _ in range(HALVINGS):
        middle = at((left[0] + right[0]) / 2)
        if not _is_defined(middle):
            return _edge(at, left, middle)[0], _edge(at, middle, right)[1]
        rises_first = abs(middle[1] - left[1]) >= abs(right[1] - middle[1])
        left, right = (left, middle) if rises_first else (middle, right)
        rise = abs(right[1] - left[1])
        most = max(most, rise)
        if rise <= most / 2:
            return None
    return left, right


def _edge(at: Callable[[float], Point], left: Point, right: Point) -> tuple[Point, Point]:
    """Return two points on both sides of the edge of where the function is defined, close to it."""
    for _ in range(HALVINGS if _is_defined(left) != _is_defined(right) else 0):
        middle = at((left[0] + right[0]) / 2)
        left, right = (middle, right) if _is_defined(middle) == _is_defined(left) else (left, middle)
    return left, right


def _seen(branch: list[Point], height: Stretch | None) -> list[Point]:
    """Return the points that the line needs where it is seen, and none far away from there."""
    if height is None:
        return branch
    bottom, top = min(height), max(height)
    far, miss = (top - bottom) * MARGIN, (top - bottom) * FINENESS
    limited = [(x, min(max(y, bottom - far), top + far)) for x, y in branch]
    kept = [limited[0]]
    flattest, steepest = -math.inf, math.inf  # slopes from the last one kept that miss none since
    for last, (x, y) in pairwise(limited):
        if x <= kept[-1][0]:
            continue
        if last != kept[-1] and not flattest <= _slope(kept[-1], x, y) <= steepest:
            kept.append(last)
            flattest, steepest = -math.inf, math.inf
        flattest = max(flattest, _slope(kept[-1], x, y - miss))
        steepest = min(steepest, _slope(kept[-1], x, y + miss))
    return kept if kept[-1] == limited[-1] else [*kept, limited[-1]]


def _slope(start: Point, x: float, y: float) -> float:
    return (y - start[1]) / (x - start[0])


def _is_defined(point: Point) -> bool:
    return not math.isnan(point[1])


def _rounded(value: float) -> float:
    return float(f"{value:.6g}") + 0.0  # no -0.0
