"""Polynomials in one unknown, exact and small enough to explain."""

from collections.abc import Mapping
from fractions import Fraction

from answers.errors import CannotAnswer
from answers.generation.maths.trees import OPERATORS, Tree, Value, apply, bounded, fold

MAX_DEGREE = 4
MAX_COEFFICIENT = 10**6


class Polynomial(dict[int, Fraction]):
    """Coefficients by power, none of them zero; asked for a power that is missing, it answers zero."""

    def __init__(self, coefficients: Mapping[int, Fraction | int]) -> None:
        super().__init__({power: bounded(Fraction(c)) for power, c in coefficients.items() if c})
        if self.degree > MAX_DEGREE:
            raise CannotAnswer("the degree is too high")

    def __missing__(self, power: int) -> Fraction:
        return Fraction(0)

    @property
    def degree(self) -> int:
        return max(self, default=0)

    def __add__(self, other: "Polynomial") -> "Polynomial":
        return Polynomial({power: self[power] + other[power] for power in {*self, *other}})

    def __sub__(self, other: "Polynomial") -> "Polynomial":
        return self + other.times(-1)

    def __mul__(self, other: "Polynomial") -> "Polynomial":
        total = Polynomial({})
        for power, coefficient in self.items():
            total += Polynomial({power + more: coefficient * factor for more, factor in other.items()})
        return total

    def times(self, factor: Fraction | int) -> "Polynomial":
        return Polynomial({power: coefficient * factor for power, coefficient in self.items()})

    def __call__(self, value: Fraction) -> Fraction:
        return sum((coefficient * value**power for power, coefficient in self.items()), Fraction(0))

    def checked(self) -> "Polynomial":
        """Return it; raises `CannotAnswer` when a coefficient is too large to explain with."""
        if any(max(abs(c.numerator), c.denominator) > MAX_COEFFICIENT for c in self.values()):
            raise CannotAnswer("a coefficient is too large")
        return self


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
