"""Formulas as trees, and the one walk that gives them a meaning."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import add, mul, sub, truediv
from typing import Any, ClassVar, TypeVar

from answers.errors import CannotAnswer

MAX_MAGNITUDE = 10**15  # of any numerator or denominator on the way
FUNCTIONS = ("sin", "cos", "tan", "ln", "exp", "sqrt")
OPERATORS: dict[str, Callable[[Any, Any], Any]]
OPERATORS = {"+": add, "-": sub, "*": mul, "/": truediv, ":": truediv, "^": pow}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Value:
    """A number as written: `bottom` > 0, perhaps not in lowest terms; `decimal`: to be shown so."""

    top: int
    bottom: int = 1
    decimal: bool = False
    sign: ClassVar[str] = ""
    parts: ClassVar[tuple["Tree", ...]] = ()

    @classmethod
    def of(cls, number: Fraction, decimal: bool = False) -> "Value":
        return cls(number.numerator, number.denominator, decimal)

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.top, self.bottom)


@dataclass(frozen=True, slots=True)
class Unknown:
    name: str
    sign: ClassVar[str] = ""
    parts: ClassVar[tuple["Tree", ...]] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """`sign`: one of `+ - * / : ^`, `/` being a fraction bar, `:` a division sign; `-` of one part negates.

    An exponent is a `Value`, whole but in derivatives. There, one of `FUNCTIONS` may be the sign, too.
    """

    sign: str
    parts: tuple["Tree", ...]


Tree = Value | Unknown | Operation


def binary(sign: str, left: Tree, right: Tree) -> Operation:
    return Operation(sign, (left, right))


def negative(tree: Tree) -> Tree:
    if isinstance(tree, Value):
        return Value(-tree.top, tree.bottom, tree.decimal)
    return Operation("-", (tree,))


def total(terms: Iterable[tuple[Fraction, Tree]]) -> Tree:
    """Return a sum of multiples, a number being a multiple of one."""
    result: Tree | None = None
    for factor, tree in terms:
        size = Value.of(abs(factor))
        term = size if tree == Value(1) else tree if size == Value(1) else binary("*", size, tree)
        if result:
            result = binary("-" if factor < 0 else "+", result, term)
        else:
            result = negative(term) if factor < 0 else term
    return result or Value(0)


def is_sum(tree: Tree) -> bool:
    return tree.sign in ("+", "-") and len(tree.parts) == 2


def grouped(sign: str, part: Tree, behind: bool) -> bool:
    """Whether a part of an operation is written in parentheses, whatever it looks like."""
    if sign == "^" or not part.sign:
        return bool(part.sign)
    if sign in "*:" and behind:
        return part.sign in "+-*:" and len(part.parts) == 2
    return is_sum(part) and (behind or sign in "*:")


def nodes(tree: Tree) -> Iterator[Tree]:
    yield tree
    for part in tree.parts:
        yield from nodes(part)


def unknowns(tree: Tree) -> set[str]:
    """Return the letters of a formula."""
    return {node.name for node in nodes(tree) if isinstance(node, Unknown)}


def substituted(tree: Tree, values: Mapping[str, Tree]) -> Tree:
    """Put something in the place of unknowns."""
    if isinstance(tree, Operation):
        return Operation(tree.sign, tuple(substituted(part, values) for part in tree.parts))
    return values.get(tree.name, tree) if isinstance(tree, Unknown) else tree


def fold(tree: Tree, leaf: Callable[[Value | Unknown], T], operate: Callable[[str, T, T], T]) -> T:
    """Give a formula a meaning: that of its leaves, and of an operation on two parts; none has a function."""
    if not isinstance(tree, Operation):
        return leaf(tree)
    if tree.sign in FUNCTIONS:
        raise CannotAnswer("a function stands where a number must")
    parts = [fold(part, leaf, operate) for part in tree.parts]
    return operate(tree.sign, *parts) if len(parts) == 2 else operate("*", leaf(Value(-1)), *parts)


def compute(tree: Tree) -> Fraction:
    """Return the exact value of a formula; raises `CannotAnswer` when it has none or too large a one."""
    return fold(tree, _number, apply)


def _number(leaf: Value | Unknown) -> Fraction:
    if isinstance(leaf, Unknown):
        raise CannotAnswer("an unknown stands where a number must")
    return leaf.fraction


def apply(sign: str, left: Fraction, right: Fraction) -> Fraction:
    """Return what one operation gives; raises `CannotAnswer` as `compute` does."""
    if (right == 0 and sign in "/:") or (left == 0 and sign == "^" and right <= 0):
        raise CannotAnswer("a division by zero")
    return bounded(OPERATORS[sign](left, right))


def bounded(number: Fraction) -> Fraction:
    """Return the number; raises `CannotAnswer` when it is too large to explain."""
    if max(abs(number.numerator), number.denominator) > MAX_MAGNITUDE:
        raise CannotAnswer("a number is too large")
    return number
