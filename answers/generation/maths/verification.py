"""Every result once more, by SymPy, from our own tree: what does not agree is not told.

SymPy never sees text. Its import takes half a second, so it is loaded by whoever first needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from math import sqrt
from typing import Any

from answers.errors import CannotAnswer
from answers.generation.maths.trees import OPERATORS, Tree, Value, binary, fold


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
    if _built(tree) != _rational(result):
        raise CannotAnswer("the result was not confirmed")


def verify_solutions(left: Tree, right: Tree, solutions: Sequence[Root] | None) -> None:
    """Check that these are all real solutions, a double one told once; None: every number is one.

    Raises `CannotAnswer`.
    """
    sympy = load()
    equation, unknown = binary("-", left, right), sympy.Symbol("x", real=True)
    difference = sympy.Poly(_built(equation, unknown), unknown)
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
        confirmed = all_found and all(sympy.expand(_built(equation, root)) == 0 for root in exact)
    if not confirmed:
        raise CannotAnswer("the solutions were not confirmed")


def _built(tree: Tree, unknown: Any = None) -> Any:
    return fold(
        tree,
        lambda leaf: _rational(leaf.fraction) if isinstance(leaf, Value) else unknown,
        lambda sign, left, right: OPERATORS[sign](left, right),
    )


def _rational(number: Fraction) -> Any:
    return load().Rational(number.numerator, number.denominator)
