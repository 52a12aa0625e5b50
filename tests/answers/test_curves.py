"""A curve's points: close to the function where it is seen, with gaps where it breaks, and never many."""

import json
import math
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers.curves import MAX_POINTS, Stretch, curve
from answers.expressions import parse

WIDE = (-10.0, 10.0)


def branches(points: list[list[float] | None]) -> list[list[list[float]]]:
    found: list[list[list[float]]] = [[]]
    for point in points:
        if point is None:
            found.append([])
        else:
            found[-1].append(point)
    return found


@pytest.mark.parametrize(
    ("expr", "domain", "height", "count"),
    [
        ("3*x-2", (0.4, 2.3), (-1, 5), 1),
        ("x^2", (-1, 2.2), (-1, 5), 1),
        ("abs(x)", (-3, 3), (0, 3), 1),
        ("x^0.1", (0, 1), (0, 1), 1),
        ("atan(1000*x)", WIDE, (-2, 2), 1),
        ("sin(100*x)", WIDE, (-1, 1), 1),
        ("1/x", WIDE, (-5, 5), 2),
        ("1/(x-1/12)", WIDE, (-5, 5), 2),
        ("1/x^2", WIDE, (0, 5), 2),
        ("tan(x)", WIDE, (-5, 5), 7),
        ("floor(x)", (-4.5, 4.5), (-5, 5), 10),
        ("sqrt(x^2-4)", WIDE, (0, 5), 2),
        ("9^9^9^9", WIDE, None, 0),
        ("x", (-1e308, 1e308), None, 0),
    ],
)
def test_a_curve_breaks_where_its_function_does(
    expr: str, domain: Stretch, height: Stretch | None, count: int
) -> None:
    points = curve(expr, domain, height)
    assert len(points) <= MAX_POINTS
    found = branches(points)
    assert (len(found) if points else 0) == count
    assert all(found) or not points


@pytest.mark.parametrize(
    ("expr", "height"),
    [("x^2", (-1, 10)), ("sin(x)", (-1, 1)), ("1/x", (-5, 5)), ("exp(x)", (10, 0)), ("sqrt(3-x^2)", (0, 2))],
)
def test_the_lines_between_the_points_are_the_curve_as_far_as_can_be_seen(expr: str, height: Stretch) -> None:
    function, seen = parse(expr), abs(height[1] - height[0])
    for branch in branches(curve(expr, (-5, 5), height)):
        for (x0, y0), (x1, y1) in pairwise(branch):
            for part in (0.25, 0.5, 0.75):
                x, y = x0 + (x1 - x0) * part, y0 + (y1 - y0) * part
                if min(height) <= y <= max(height) and abs(y1 - y0) < seen / 5:
                    assert y == pytest.approx(function(x), abs=seen / 100)


def test_a_curve_reaches_the_edge_of_where_it_is_defined() -> None:
    points = curve("sqrt(3-x^2)", WIDE, (-3, 3))
    assert [points[end] for end in (0, -1)] == [
        [pytest.approx(-sign, abs=1e-3), pytest.approx(0, abs=0.1)] for sign in (math.sqrt(3), -math.sqrt(3))
    ]


def test_what_is_straight_costs_few_bytes_and_what_leaves_for_infinity_ends() -> None:
    assert curve("3*x-2", (0, 2), (-1, 5)) == [[0, -2], [2, 4]]
    assert curve("x/3", (3, 0), (0, 1)) == [[0, 0], [3, 1]]
    assert len(json.dumps(curve("x^2", (-3, 3), (0, 9)))) < 1000
    assert max(y for _, y in filter(None, curve("1/x", WIDE, (-5, 5)))) == 205
    assert "-0.0" not in json.dumps(curve("0-x*0", WIDE, (-1, 1)))


@pytest.mark.parametrize("expr", ["floor(30*x)", "1/sin(40*x)", "tan(9*x)+floor(7*x)", "sqrt(sin(31*x))"])
def test_the_wildest_curve_stays_bounded_and_quick(expr: str) -> None:
    began = time.perf_counter()
    assert len(curve(expr, (-10, 10.1), (-5, 5))) <= MAX_POINTS
    assert time.perf_counter() - began < 0.2


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "1", "0.5", "pi", "7"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map("({0[0]}{0[1]}{0[2]})".format)
        | st.tuples(st.sampled_from(["sin", "ln", "sqrt", "floor", "tan", "exp"]), inner).map(
            "{0[0]}({0[1]})".format
        )
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, st.tuples(st.floats(-1e6, 1e6), st.floats(0.001, 1e6)), st.none() | st.just((-5.0, 5.0)))
def test_any_curve_is_json_in_rising_x_without_gaps_at_its_ends(
    expr: str, domain: tuple[float, float], height: Any
) -> None:
    points = curve(expr, (domain[0], domain[0] + domain[1]), height)
    json.dumps(points, allow_nan=False)
    assert len(points) <= MAX_POINTS
    if points:
        assert all(branches(points))
        xs = [point[0] for point in points if point]
        assert xs == sorted(xs)
