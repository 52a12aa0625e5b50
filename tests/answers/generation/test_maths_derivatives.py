"""Derivatives: every formula that is told holds, by numbers that know nothing of the rules."""

import math
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.errors import CannotAnswer
from answers.expressions import MAX_LENGTH
from answers.expressions import parse as function_of
from answers.recording import Recording
from tests.answers.generation.test_maths import FORMULA, check_contract, shown, told

POINTS = (0.31, 0.74, 1.13, 1.9, 2.6, 4.2)


@pytest.mark.parametrize(
    ("text", "language", "result"),
    [
        ("deriva x^2·sin(x)", "es", r"f'(x) = 2x\sin(x) + x^2\cos(x)"),
        ("derivative of (3x^2+1)^5", "en", r"f'(x) = 30x(3x^2 + 1)^4"),
        ("f(x) = x² ln(x), f'(x)?", "es", r"f'(x) = 2x\ln(x) + x"),
        ("Si g(t) = t^3 - 2t, ¿cuál es g'(t)?", "es", "g'(t) = 3t^2 - 2"),
        ("If f(x) = sqrt(x^2+1), find f'(x)", "en", r"f'(x) = \frac{x}{\sqrt{x^2 + 1}}"),
        ("d/dx (x^2 + 1)", "en", "f'(x) = 2x"),
        ("d/dt t^3", "es", "f'(t) = 3t^2"),
        ("Find the derivative of y = 1/x^2", "en", r"y' = -\frac{2}{x^3}"),
        ("deriva xe^x", "es", "f'(x) = (x + 1)e^{x}"),
        ("deriva sen x cos x", "es", r"f'(x) = \cos^2(x) - \sin^2(x)"),
        ("Qual é a derivada de e^(2x)/x?", "pt", r"f'(x) = \frac{(2x - 1)e^{2x}}{x^2}"),
        ("deriva (x^2+1)/(x-3)", "es", r"f'(x) = \frac{x^2 - 6x - 1}{(x - 3)^2}"),
        ("deriva sen(x)/x respecto a x", "es", r"f'(x) = \frac{x\cos(x) - \sin(x)}{x^2}"),
        ("deriva tg(3x)", "es", r"f'(x) = \frac{3}{\cos^2(3x)}"),
        ("deriva ln(cos(x))", "es", r"f'(x) = -\frac{\sin(x)}{\cos(x)}"),
        ("deriva x√(x+1)", "es", r"f'(x) = \frac{3x + 2}{2\sqrt{x + 1}}"),
        ("deriva x^(2/3)", "es", r"f'(x) = \frac{2}{3x^{1/3}}"),
        ("deriva √x + 3x", "es", r"f'(x) = 3 + \frac{1}{2\sqrt{x}}"),
        ("deriva e^-x", "es", "f'(x) = -e^{-x}"),
        ("deriva (x+1)^3(x-2)^2", "es", r"f'(x) = (x + 1)^2(5x - 4)(x - 2)"),
        ("deriva sin^2(x)", "es", r"f'(x) = 2\cos(x)\sin(x)"),
        ("deriva 0,5x^2", "es", "f'(x) = x"),
        ("differentiate 5", "en", ""),
        ("deriva x", "es", "f'(x) = 1"),
        ("deriva n^2 e^n", "es", "(p \\cdot q)' = p' \\cdot q + p \\cdot q'"),
    ],
)
def test_states_the_derivative(text: str, language: str, result: str) -> None:
    if not result:
        with pytest.raises(CannotAnswer):
            told(text, language)
        return
    recording = told(text, language)
    assert f"$${result}$$" in shown(recording)
    check_contract(recording)


@pytest.mark.parametrize(
    ("text", "told_so"),
    [("deriva (x^2)^3", True), ("deriva √x + 3x", False)],
)
def test_shows_each_change_of_form_and_calls_no_other_order_one(text: str, told_so: bool) -> None:
    text = shown(told(text))
    assert ("(x^6)' = 6 \\cdot x^5" in text) is told_so and ("Simplificamos" in text) is told_so


@pytest.mark.parametrize("language", ["es", "en", "pt"])
@pytest.mark.parametrize(
    "text",
    [
        "deriva",
        "deriva 5",
        "deriva e",
        "deriva e^2",
        "deriva x·y",
        "deriva a·x^2 respecto a x",
        "deriva x^2 respecto a t",
        "deriva f(t) = x^2",
        "deriva y = y^2",
        "deriva x^2 en x = 3",
        "deriva dos veces x^2",
        "segunda derivada de x^2",
        "f(x) = x^2, f''(x)?",
        "f(x) = x^2, g'(x)?",
        "f(x) = x^2, f'(t)?",
        "f(x) = x^2 f'(x)",
        "f(x) = x^2, f'(3)?",
        "x^2, f'(x)?",
        "d/dx x^2 + 1",
        "d/dx (x^2) + 1",
        "d/dx (x^2) · x^3",
        "d/dx (x^2)/(x + 1)",
        "deriva x^x",
        "deriva 2^x",
        "deriva x^1/2",
        "deriva x^3/2",
        "deriva x^-1/2",
        "deriva e^x/2",
        "deriva e^2x",
        "deriva e^x(x+1)",
        "deriva sin x^2",
        "deriva sin x/2",
        "deriva sin 2x·x",
        "deriva sin x+1",
        "deriva √x+1",
        "deriva √2x",
        "deriva sen(y) y cos(y)",
        "deriva 2³√x",
        "deriva sin^-1(x)",
        "deriva sin",
        "deriva sin()",
        "deriva log(x)",
        "deriva arcsin(x)",
        "deriva atan(x)",
        "deriva |x|",
        "deriva x!",
        "deriva x^11",
        "deriva x:2",
        "deriva x^2 = 4",
        "deriva 1/(x-x)",
        "deriva ln(0·x)",
        "deriva ln(-x^2-1)",
        "deriva sqrt(-1-x^2)",
        r"deriva \sin(x)",
        "deriva __import__('os')",
        "integra x^2",
        "deriva por sustitución x^2",
        "¿Qué es la derivada de x^2?",
        "explica la derivada de x^2",
    ],
)
def test_refuses_what_is_not_surely_one_function(text: str, language: str) -> None:
    with pytest.raises(CannotAnswer):
        told(text, language)


def test_a_rule_is_told_in_full_once_and_by_its_name_afterwards() -> None:
    text = shown(told("deriva sin(3x)·cos(2x)·e^x"))
    assert text.count("Hay una función dentro de otra") == 1
    assert "Otra vez, la regla de la cadena:" in text


def test_the_board_shows_both_curves_and_the_tangent_where_they_are_spoken_of() -> None:
    step = next(
        step for step in told("deriva x^2·e^(-x)").steps if any(c["op"] == "axes" for c in step.commands)
    )
    axes, curve, slope, tangent, contact = step.commands
    f, prime, line = (function_of(command["expr"]) for command in (curve, slope, tangent))
    x = contact["x"]
    assert line(x) == pytest.approx(f(x), abs=1e-3) and contact["y"] == pytest.approx(f(x), abs=1e-3)
    assert line(x + 1) - line(x) == pytest.approx(prime(x), abs=1e-3)
    assert [f"{name}(x)$" in step.content[: c["at"]] for name, c in (("$f", curve), ("$f'", slope))] == [
        True
    ] * 2
    assert curve["at"] < step.content.index("$f'(x)$") < slope["at"] < tangent["at"]
    assert axes["xr"][0] <= x <= axes["xr"][1] and axes["yr"][0] <= contact["y"] <= axes["yr"][1]


@st.composite
def functions(draw: st.DrawFn, depth: int = 3) -> str:
    """A function of x, written as people may and as `expressions` reads it."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(
            st.sampled_from(["x", "x^2", "x^3", "2x", "(x+1)", "(3x^2-2)", "(1/2)x", "3", "(x^2+x+1)"])
        )
    one, other = functions(depth=depth - 1), functions(depth=depth - 1)
    shape = draw(
        st.sampled_from(["+", "-", "*", "*", "/", "^", "sin", "cos", "tan", "ln", "exp", "sqrt", "e"])
    )
    if shape in "+-*/":
        return f"(({draw(one)}) {shape} ({draw(other)}))"
    if shape == "^":
        return f"({draw(one)})^{draw(st.sampled_from(['2', '3', '5', '(-1)', '(1/2)', '(3/2)']))}"
    return f"e^({draw(one)})" if shape == "e" else f"{shape}({draw(one)})"


@settings(deadline=None, max_examples=120)
@given(functions(), st.sampled_from(["es", "en", "pt"]))
def test_any_derivative_that_is_told_is_the_slope(text: str, language: str) -> None:
    try:
        recording = told(f"deriva {text}", language)
    except CannotAnswer:
        return
    check_contract(recording)
    check_formulas(recording, function_of(text))


PIECES = [
    "x",
    "2",
    "3",
    "+",
    "-",
    "·",
    "/",
    "^",
    "(",
    ")",
    " ",
    "sin",
    "cos ",
    "e^",
    "ln(",
    "√",
    "²",
    "(x+1)",
]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.sampled_from(["es", "en", "pt"]))
def test_anything_like_a_function_is_refused_or_told_well(text: str, language: str) -> None:
    try:
        recording = told(f"deriva {text}", language)
    except CannotAnswer:
        return
    check_contract(recording)


@pytest.mark.parametrize(
    "text",
    [
        "sin(x)*cos(x)",
        "(x^2+1)^3*exp(-x)",
        "ln(x)/x",
        "x*sqrt(x+1)",
        "exp(x*sin(x))",
        "5/(x^2+1)",
        "3x^4-5x+2",
    ],
)
def test_every_formula_on_the_way_holds(text: str) -> None:
    assert check_formulas(told(f"deriva {text}"), function_of(text)) >= 4


def check_formulas(recording: Recording, f: Callable[[float], float]) -> int:
    """Compare the slope with f'(x), and whatever is said to be equal; return at how many points."""
    defined = [x for x in POINTS if not math.isnan(_value(f, x))]  # beyond, a formula may mean more or less
    slopes = {x: slope for x in defined if (slope := _slope(f, x)) is not None}
    for found in FORMULA.finditer(shown(recording)):
        left, *sides = found[2].split(" = ")
        if "'" not in left or not sides or any("'" in side for side in sides[-1:]):
            continue
        values = [side for side in sides if "'" not in side]
        if any(letter in values[0] for letter in "uvk") or "n" in re.sub(r"\\[a-z]+", "", values[0]):
            continue  # the rule itself
        if max(len(flat(side)) for side in values) > MAX_LENGTH:
            continue
        told_functions = [function_of(flat(side)) for side in values]
        for x in defined:
            for one, other in pairwise(told_functions):
                assert _value(one, x) == pytest.approx(_value(other, x), rel=1e-6, abs=1e-6, nan_ok=True), (
                    found[2]
                )
        if left == "f'(x)":
            for x, slope in slopes.items():
                assert told_functions[-1](x) == pytest.approx(slope, rel=1e-4, abs=1e-4), found[2]
    return len(slopes)


def _value(f: Callable[[float], float], x: float) -> float:
    try:
        return f(x)
    except (ArithmeticError, ValueError):
        return math.nan


def _slope(f: Callable[[float], float], x: float) -> float | None:
    """Estimate a slope by Richardson's extrapolation; None where two estimates do not agree."""
    estimates = []
    for h in (1e-3, 5e-4):
        a, b, c, d = (_value(f, x + k * h) for k in (-2, -1, 1, 2))
        estimates.append((a - 8 * b + 8 * c - d) / (12 * h))
    agree = math.isclose(*estimates, rel_tol=1e-6, abs_tol=1e-6) and abs(estimates[1]) < 1e6
    return estimates[1] if agree else None


def flat(tex: str) -> str:
    """Turn the LaTeX of the tutor into an expression."""
    tex = tex.replace(r"\left(", "(").replace(r"\right)", ")").replace(r"\cdot", "*")
    tex = tex.replace(r"\times", "*").replace("{,}", ".").replace(r"\,", "")
    while found := re.search(r"\\(frac|sqrt)\{|\^\{|\\(\w+)\^(\d)\(", tex):
        start, end = found.start(), _close(tex, found.end() - 1)
        inside = tex[found.end() : end]
        if found[3]:
            new = f" ({found[2]}({inside})^{found[3]})"
        elif found[1] == "sqrt":
            new = f" sqrt({inside})"
        elif found[1] == "frac":
            last = _close(tex, end + 1)
            new, end = f"(({inside})/({tex[end + 2 : last]}))", last
        else:
            new = f"^({inside})"
        tex = tex[:start] + new + tex[end + 1 :]
    tex = re.sub(r"\\(\w+)", r" \1", tex)
    return re.sub(r"(?<=[a-z])(?=e\^)", " ", tex)


def _close(tex: str, start: int) -> int:
    """Return where what opens at `start` closes."""
    depth = 0
    for place in range(start, len(tex)):
        depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(tex[place], 0)
        if not depth:
            return place
    raise AssertionError(tex)
