"""Every result once more, by SymPy or by numbers, from our own tree: what does not agree is not told.

SymPy never sees text. Its import takes half a second, so it is loaded by whoever first needs it.
"""

import cmath
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from math import isclose, isfinite, isnan, nan, sqrt
from operator import neg
from typing import Any

from answers.errors import CannotAnswer
from answers.generation.maths.reading import System
from answers.generation.maths.trees import OPERATORS, Operation, Tree, Unknown, Value, binary, fold, unknowns

POINTS = [sign * (n + 0.37 * n * n / 7) for n in (0.3, 0.7, 1, 1.4, 2, 3, 5, 8, 12, 20) for sign in (1, -1)]
TINY = 1e-20


@dataclass(frozen=True, slots=True)
class Root:
    """The number `centre` + `factor`·√`radicand`; rational if `factor` is 0."""

    centre: Fraction
    factor: Fraction = Fraction(0)
    radicand: int = 1

    def __float__(self) -> float:
        return float(self.centre) + float(self.factor) * sqrt(self.radicand)


def load() -> Any:
    """Return SymPy."""
    return import_module("sympy")


def verify_number(tree: Tree, result: Fraction) -> None:
    """Check what a calculation gives; raises `CannotAnswer`."""
    if _built(tree, {}) != _rational(result):
        raise CannotAnswer("the result was not confirmed")


def verify_solutions(left: Tree, right: Tree, solutions: Sequence[Root] | None) -> None:
    """Check that these are all real solutions, a double one told once; None: every number is one.

    Raises `CannotAnswer`.
    """
    sympy = load()
    equation, unknown = binary("-", left, right), sympy.Symbol("x", real=True)
    letters = unknowns(equation)
    difference = sympy.Poly(_built(equation, dict.fromkeys(letters, unknown)), unknown)
    degree = difference.degree()
    if solutions is None:
        confirmed = difference.is_zero
    elif not solutions:
        confirmed = difference.discriminant() < 0 if degree == 2 else degree == 0 and not difference.is_zero
    else:
        double = degree == 2 and difference.discriminant() == 0
        all_found = len(set(solutions)) == len(solutions) == (1 if double else degree)
        exact = [
            _rational(root.centre) + _rational(root.factor) * sympy.sqrt(root.radicand) for root in solutions
        ]
        confirmed = all_found and all(
            sympy.expand(_built(equation, dict.fromkeys(letters, root))) == 0 for root in exact
        )
    if not confirmed:
        raise CannotAnswer("the solutions were not confirmed")


def verify_system(system: System, solution: Mapping[str, Fraction] | None, consistent: bool) -> None:
    """Check that this is the only solution; None: that there is none, or if `consistent` a line of them.

    Raises `CannotAnswer`.
    """
    sympy = load()
    letters = sympy.symbols(system.unknowns)
    named = dict(zip(system.unknowns, letters, strict=True))
    rows = [_built(left, named) - _built(right, named) for left, right in system.equations]
    matrix, constants = sympy.linear_eq_to_matrix([sympy.expand(row) for row in rows], letters)
    rank, whole = matrix.rank(), matrix.row_join(constants).rank()
    if solution:
        values = {named[name]: _rational(value) for name, value in solution.items()}
        confirmed = rank == 2 and all(row.subs(values) == 0 for row in rows)
    else:
        confirmed = rank == 1 and (whole == 1) == consistent
    if not confirmed:
        raise CannotAnswer("the solution was not confirmed")


def verify_derivative(tree: Tree, found: Tree) -> None:
    """Compare a derivative with the slope of the function at several points; raises `CannotAnswer`."""
    slopes = {point: slope for point in POINTS if not isnan(slope := slope_at(tree, point))}
    if len(slopes) < 4:
        raise CannotAnswer("the function is defined at too few points")
    if not all(isclose(value_at(found, x), slope, rel_tol=1e-9, abs_tol=1e-9) for x, slope in slopes.items()):
        raise CannotAnswer("the derivative was not confirmed")


def value_at(tree: Tree, point: float) -> float:
    """Return the value of a function at a point, NaN where it has no finite real one."""
    with suppress(ArithmeticError, ValueError):
        value = _evaluate(tree, complex(point))
        if isfinite(value.real) and abs(value.imag) <= 1e-12 * abs(value):
            return value.real
    return nan


def slope_at(tree: Tree, point: float) -> float:
    """Return the slope of a function by a tiny step off the real line, which loses no digits, or NaN."""
    with suppress(ArithmeticError, ValueError):
        slope = _evaluate(tree, complex(point, TINY)).imag / TINY
        return nan if isnan(value_at(tree, point)) or not isfinite(slope) else slope
    return nan


def _evaluate(tree: Tree, at: complex) -> complex:
    match tree:
        case Value():
            return complex(tree.fraction)
        case Unknown():
            return at
        case Operation(sign, (inner,)):
            value = _evaluate(inner, at)
            function = cmath.log if sign == "ln" else getattr(cmath, sign) if sign != "-" else neg
            return complex(function(value))
    sign, (first, second) = tree.sign, tree.parts
    return complex(OPERATORS[sign](_evaluate(first, at), _evaluate(second, at)))


def _built(tree: Tree, letters: Mapping[str, Any]) -> Any:
    return fold(
        tree,
        lambda leaf: _rational(leaf.fraction) if isinstance(leaf, Value) else letters[leaf.name],
        lambda sign, left, right: OPERATORS[sign](left, right),
    )


def _rational(number: Fraction) -> Any:
    return load().Rational(number.numerator, number.denominator)
