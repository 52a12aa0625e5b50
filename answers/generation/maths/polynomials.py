"""Polynomials in one unknown and sums of unknowns, exact and small enough to explain."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Self, TypeVar

from answers.errors import CannotAnswer
from answers.generation.maths.trees import OPERATORS, Tree, Value, apply, bounded, fold

MAX_DEGREE = 4
MAX_COEFFICIENT = 10**6

K = TypeVar("K")


class Combination(dict[K, Fraction]):
    """Coefficients, none of them zero; asked for one that is missing, it answers zero."""

    def __init__(self, coefficients: Mapping[K, Fraction | int]) -> None:
        super().__init__({key: bounded(Fraction(c)) for key, c in coefficients.items() if c})

    def __missing__(self, key: K) -> Fraction:
        return Fraction(0)

    def __add__(self, other: Self) -> Self:
        return type(self)({key: self[key] + other[key] for key in {**self, **other}})

    def __sub__(self, other: Self) -> Self:
        return self + other.times(-1)

    def times(self, factor: Fraction | int) -> Self:
        return type(self)({key: coefficient * factor for key, coefficient in self.items()})

    def checked(self) -> Self:
        """Return it; raises `CannotAnswer` when a coefficient is too large to explain with."""
        if any(max(abs(c.numerator), c.denominator) > MAX_COEFFICIENT for c in self.values()):
            raise CannotAnswer("a coefficient is too large")
        return self


class Polynomial(Combination[int]):
    """Coefficients by power."""

    def __init__(self, coefficients: Mapping[int, Fraction | int]) -> None:
        super().__init__(coefficients)
        if self.degree > MAX_DEGREE:
            raise CannotAnswer("the degree is too high")

    @property
    def degree(self) -> int:
        return max(self, default=0)

    def __mul__(self, other: "Polynomial") -> "Polynomial":
        total = Polynomial({})
        for power, coefficient in self.items():
            total += Polynomial({power + more: coefficient * factor for more, factor in other.items()})
        return total

    def __call__(self, value: Fraction) -> Fraction:
        return sum((coefficient * value**power for power, coefficient in self.items()), Fraction(0))


def linear(first: Fraction | int, constant: Fraction | int) -> Polynomial:
    return Polynomial({1: first, 0: constant})


def polynomial(tree: Tree) -> Polynomial:
    """Multiply a formula out and collect it; raises `CannotAnswer` when it is no small polynomial."""
    return fold(
        tree, lambda leaf: Polynomial({0: leaf.fraction} if isinstance(leaf, Value) else {1: 1}), _operate
    )


def _operate(sign: str, left: Polynomial, right: Polynomial) -> Polynomial:
    if sign in "+-*":
        product: Polynomial = OPERATORS[sign](left, right)
        return product
    if right.degree:
        raise CannotAnswer("an unknown below the bar")
    if not left.degree:
        return Polynomial({0: apply(sign, left[0], right[0])})
    if sign != "^":
        return left.times(apply("/", Fraction(1), right[0]))
    if not 1 <= right[0] <= MAX_DEGREE:
        raise CannotAnswer("a power that is not explained here")
    power = left
    for _ in range(1, int(right[0])):
        power = power * left
    return power


class Form(Combination[str]):
    """Coefficients by unknown, the number alone under `""`."""


def form(tree: Tree) -> Form:
    """Multiply a formula out and collect it; raises `CannotAnswer` when it is not linear."""
    return fold(
        tree, lambda leaf: Form({"": leaf.fraction} if isinstance(leaf, Value) else {leaf.name: 1}), _combine
    )


def _combine(sign: str, left: Form, right: Form) -> Form:
    if sign in "+-":
        return left + right if sign == "+" else left - right
    if sign == "*" and not left.keys() - {""}:
        return right.times(left[""])
    if right.keys() - {""}:
        raise CannotAnswer("not a linear formula")
    if not left.keys() - {""}:
        return Form({"": apply(sign, left[""], right[""])})
    if sign == "^" and right[""] != 1:
        raise CannotAnswer("not a linear formula")
    return (
        left if sign == "^" else left.times(right[""] if sign == "*" else apply("/", Fraction(1), right[""]))
    )
