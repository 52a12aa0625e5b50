"""An equation's sides as terms, and the steps that bring them into order, each shown with its reason."""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from answers.errors import CannotAnswer
from answers.generation.maths.notation import added, bracketed
from answers.generation.maths.polynomials import MAX_COEFFICIENT, Polynomial, polynomial
from answers.generation.maths.telling import Telling
from answers.generation.maths.trees import Operation, Tree, Unknown, Value, bounded, compute, is_sum, unknowns

MAX_TERMS = 16
_PARENTHESES = re.compile(r"\\left|\\right|[()]")
ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Term:
    """A coefficient times a power of the unknown times what stands in parentheses, perhaps raised."""

    coefficient: Fraction
    power: int = 0
    brackets: tuple[Tree, ...] = ()

    def __mul__(self, other: "Term") -> "Term":
        coefficient = bounded(self.coefficient * other.coefficient)
        return Term(coefficient, self.power + other.power, self.brackets + other.brackets)

    def times(self, factor: Fraction | int) -> "Term":
        return self * Term(Fraction(factor))


Side = list[Term]


def terms(tree: Tree, sign: int = 1) -> Side:
    """Take a `polynomial` apart at its outermost sums; what is only numbers is computed."""
    if is_sum(tree):
        left, right = tree.parts
        behind = sign if tree.sign == "+" else -sign
        kept = is_sum(right) and unknowns(right)
        return terms(left, sign) + ([Term(Fraction(behind), 0, (right,))] if kept else terms(right, behind))
    return [_term(tree).times(sign)]


def _term(tree: Tree) -> Term:
    if not unknowns(tree):
        return Term(compute(tree))
    match tree:
        case Unknown():
            return Term(ONE, 1)
        case Operation("-", (inner,)):
            return _term(inner).times(-1)
        case Operation("*", (left, right)):
            return _term(left) * _term(right)
        case Operation("/" | ":", (top, bottom)):
            return _term(top).times(1 / compute(bottom))
        case Operation("^", (Unknown(), Value(exponent))):
            return Term(ONE, exponent)
    return Term(ONE, 0, (tree,))


def _ordered(coefficients: Polynomial) -> Side:
    """Return a polynomial as terms, its highest power first."""
    return [Term(number, power) for power, number in sorted(coefficients.items(), reverse=True)]


def _expanded(side: Side) -> Side:
    """Multiply all parentheses out, collecting only powers of them."""
    result: Side = []
    for term in side:
        products = [Term(term.coefficient, term.power)]
        for factor in term.brackets:
            parts = _ordered(polynomial(factor)) if factor.sign == "^" else _expanded(terms(factor))
            products = [one * other for one in products for other in parts]
            if len(products) > MAX_TERMS:
                raise CannotAnswer("too many terms")
        result += products
    if len(result) > MAX_TERMS:
        raise CannotAnswer("too many terms")
    return result


def zero_product(left: Side, right: Side) -> list[Polynomial]:
    """Return the two linear factors of an equation "product = 0", none if it has not that form."""
    if any(term.coefficient for term in right) or len(left) != 1 or not left[0].brackets:
        return []
    factors = [Polynomial({1: 1})] * left[0].power
    for bracket in left[0].brackets:
        base, times = bracket.parts if bracket.sign == "^" else (bracket, Value(1))
        factors += [polynomial(base)] * int(compute(times))
    return factors if len(factors) == 2 and all(factor.degree == 1 for factor in factors) else []


class Rewriter:
    """Two sides of one equation, brought into order before an audience."""

    def __init__(self, telling: Telling, left: Tree, right: Tree) -> None:
        self.telling = telling
        self.notation = telling.notation
        self.polynomials = [polynomial(left), polynomial(right)]  # refuses what `terms` cannot be
        self.sides = [terms(left), terms(right)]
        self.shown = self.notation.equation(left, right)

    def collect(self) -> list[Polynomial]:
        """Tell how both sides become polynomials with whole coefficients, and return them."""
        self._show("numbers")
        self._clear()
        if any(term.brackets for side in self.sides for term in side):
            self.sides = [_expanded(side) for side in self.sides]
            self._show("expand")
            self._clear()
        powers = [sorted(term.power for term in side if term.coefficient) for side in self.sides]
        like = powers != [sorted(side) for side in self.polynomials]
        self.sides = [_ordered(side.checked()) for side in self.polynomials]
        linear = all(side.degree < 2 for side in self.polynomials)
        self._show("collect" if like else "sorted.linear" if linear else "sorted")
        return self.polynomials

    def _clear(self) -> None:
        """Multiply by the least number that leaves no fractions."""
        factor = lcm(*(term.coefficient.denominator for side in self.sides for term in side))
        ten = next((10**n for n in range(7) if 10**n % factor == 0), 0) if self.notation.decimals else 0
        factor = ten or factor
        if factor == 1:
            return
        if factor > MAX_COEFFICIENT:
            raise CannotAnswer("a denominator is too large")
        self.telling.say("clear.decimals" if ten else "clear", n=factor)
        if sum(len(side) for side in self.sides) <= 5:
            times = f"{self.notation.write(factor)} {self.notation.times} "
            self.telling.show(self.notation.equation(*(self._sum(side, times) for side in self.sides)))
        self.sides = [[term.times(factor) for term in side] for side in self.sides]
        self.polynomials = [side.times(factor) for side in self.polynomials]
        self._show()

    def _show(self, reason: str = "") -> None:
        """Show the equation as it stands, with the reason why it changed, if it did."""
        tex = self.notation.equation(*(self._sum(side) for side in self.sides))
        if tex != self.shown:
            if reason:
                same = _PARENTHESES.sub("", tex) == _PARENTHESES.sub("", self.shown)
                self.telling.say("open" if same else reason)
            self.telling.show(tex)
            self.shown = tex

    def _sum(self, side: Side, times: str = "") -> str:
        written = [self._write(term, as_factor=bool(times)) for term in side if term.coefficient] or ["0"]
        return added(f"-{times}{tex[1:]}" if times and tex[0] == "-" else times + tex for tex in written)

    def _write(self, term: Term, as_factor: bool) -> str:
        if not term.power and len(term.brackets) == 1 and term.brackets[0].sign != "^":
            tex = self.notation.term(term.coefficient, self.notation.write(term.brackets[0]), is_sum=True)
            return bracketed(tex) if as_factor and term.coefficient == 1 else tex
        factors = [self.notation.monomial(term.power)]
        for bracket in term.brackets:
            tex = self.notation.write(bracket)
            factors.append(tex if bracket.sign == "^" else bracketed(tex))
        return self.notation.term(term.coefficient, "".join(factors))
