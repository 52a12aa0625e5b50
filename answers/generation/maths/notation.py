"""How a formula is written: trees, polynomials and numbers → LaTeX, as schools of each language write it."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

from answers.generation.maths.polynomials import Form, Polynomial
from answers.generation.maths.trees import (
    FUNCTIONS,
    Operation,
    Tree,
    Unknown,
    Value,
    binary,
    grouped,
    unknowns,
)
from answers.spoken import Tongue, spoken

MAX_DECIMALS = 6
FUNCTION_SIGNS = tuple(rf"\{name}" for name in FUNCTIONS)

Formula = str | int | Fraction | Polynomial | Form | Tree  # a `str` is LaTeX already


def finite_decimals(number: Fraction) -> int | None:
    """Return how many decimals write a number exactly, None if none do or too many."""
    return next((n for n in range(MAX_DECIMALS + 1) if 10**n % number.denominator == 0), None)


def bracketed(tex: str) -> str:
    """Put a formula in parentheses of its height."""
    return rf"\left({tex}\right)" if r"\frac" in tex or r"\sqrt" in tex else f"({tex})"


def added(terms: Iterable[str]) -> str:
    """Write terms as a sum, a leading minus as the sign between two."""
    return reduce(lambda tex, term: f"{tex} - {term[1:]}" if term[0] == "-" else f"{tex} + {term}", terms)


@dataclass(frozen=True, slots=True)
class Notation:
    """`decimals`: whether finite decimals are written as such where the source does not say."""

    language: Tongue
    unknown: str = "x"
    decimals: bool = False

    @property
    def times(self) -> str:
        return r"\cdot" if self.language != "en" else r"\times"

    @property
    def divided(self) -> str:
        return ":" if self.language != "en" else r"\div"

    def write(self, formula: Formula) -> str:
        match formula:
            case str():
                return formula
            case int() | Fraction():
                return self.number(Fraction(formula))
            case Polynomial():
                terms = sorted(formula.items(), reverse=True)
                return added([self.term(number, self.monomial(power)) for power, number in terms] or ["0"])
            case Form():
                letters = sorted(formula.keys() - {""}) + [""] * ("" in formula)
                return added([self.term(formula[letter], letter) for letter in letters] or ["0"])
        return self._tree(formula)

    def equation(self, left: Formula, right: Formula) -> str:
        return f"{self.write(left)} = {self.write(right)}"

    def chain(self, *formulas: Formula) -> str:
        """Write that formulas are equal, none of them twice."""
        return " = ".join(dict.fromkeys(self.write(formula) for formula in formulas))

    def operand(self, formula: Formula) -> str:
        """Write what stands behind an operation sign: a negative number in parentheses."""
        tex = self.write(formula)
        return bracketed(tex) if tex.startswith("-") else tex

    def product(self, *factors: Formula) -> str:
        first, *others = factors
        return f" {self.times} ".join([self.write(first), *map(self.operand, others)])

    def bar(self, top: Formula, bottom: Formula) -> str:
        return rf"\frac{{{self.write(top)}}}{{{self.write(bottom)}}}"

    def over(self, top: Formula, bottom: int) -> str:
        """Write a fraction, unless it is over one, the sign of a number in front."""
        if isinstance(top, int) and top < 0:
            return f"-{self.over(-top, bottom)}"
        return self.write(top) if bottom == 1 else self.bar(top, bottom)

    def power(self, base: Formula, exponent: int, compound: bool = False) -> str:
        tex = self.write(base)
        if compound or r"\frac" in tex or tex.startswith("-"):
            tex = bracketed(tex)
        return f"{tex}^{exponent if 0 <= exponent < 10 else f'{{{exponent}}}'}"

    def monomial(self, exponent: int) -> str:
        """Write a power of the unknown, nothing if it is the number one."""
        return self.power(self.unknown, exponent) if exponent > 1 else self.unknown * exponent

    def number(self, number: Fraction, decimal: bool | None = None) -> str:
        """Write a number exactly: whole, decimal if wanted and finite, else a fraction."""
        if number.denominator == 1:
            digits = str(number) if abs(number) < 10_000 else f"{number.numerator:,}"
            return digits.replace(",", r"\," if self.language != "en" else "{,}")
        places = finite_decimals(number)
        if places and (self.decimals if decimal is None else decimal):
            return self.decimal(number, places)
        return self.over(number.numerator, number.denominator)

    def decimal(self, number: Fraction, places: int) -> str:
        """Write a number rounded half up to some decimals."""
        units = int(abs(number) * 10**places * 2 + 1) // 2
        whole, rest = divmod(units, 10**places)
        mark = "{,}" if self.language != "en" else "."
        return "-" * (number < 0 < units) + self.write(whole) + f"{mark}{rest:0{places}}"

    def as_decimals(self, number: Fraction) -> str:
        """Write what follows a fraction: "= 0.75" or "\\approx 0.333"; empty for a whole number."""
        places = finite_decimals(number)
        if places == 0:
            return ""
        return f" = {self.decimal(number, places)}" if places else rf" \approx {self.decimal(number, 3)}"

    def operation(self, sign: str, left: int | Value, right: int | Value) -> str:
        first, second = (Value(side) if isinstance(side, int) else side for side in (left, right))
        return self._tree(binary(sign, first, second))

    def term(self, coefficient: Fraction, body: str, is_sum: bool = False) -> str:
        """Write a coefficient and what it multiplies; `body` is empty for a number, `is_sum`: a bare sum."""
        if not body:
            return self.number(coefficient)
        sign, size = "-" * (coefficient < 0), abs(coefficient)
        if size.denominator > 1 and not (self.decimals and finite_decimals(size)):
            return sign + self.bar(self.term(Fraction(size.numerator), body, is_sum), size.denominator)
        if is_sum and coefficient != 1:
            body = bracketed(body)
        return sign + ("" if size == 1 else self.number(size)) + body

    def aloud(self, tex: str) -> str:
        """Return a formula in words."""
        return spoken(tex.replace(" : ", r" \div "), self.language)

    def _tree(self, tree: Tree) -> str:
        match tree:
            case Value(top, bottom, decimal):
                decimal = decimal or (self.decimals and bottom > 1)
                return self.number(tree.fraction, True) if decimal else self.over(top, bottom)
            case Unknown(name):
                return name
            case Operation("-", (inner,)):
                return f"-{self._part('-', inner)}"
            case Operation("^", (Operation(name, (inner,)), Value(exponent, 1))) if (
                name in ("sin", "cos", "tan", "ln") and 2 <= exponent < 10
            ):
                return rf"\{name}^{exponent}{bracketed(self._tree(inner))}"
            case Operation("^", (base, Value(above, below))) if below > 1:
                return self.power(base, 0, compound=bool(base.sign))[:-1] + f"{{{above}/{below}}}"
            case Operation("^", (base, Value(exponent))):
                return self.power(base, exponent, compound=grouped("^", base, behind=False))
            case Operation("sqrt", (inner,)):
                return rf"\sqrt{{{self._tree(inner)}}}"
            case Operation("exp", (inner,)):
                return f"e^{{{self._tree(inner)}}}"
            case Operation(name, (inner,)):
                return rf"\{name}{bracketed(self._tree(inner))}"
            case Operation("/", (above, below)):
                return self.bar(above, below)
        sign, (first, second) = tree.sign, tree.parts
        left = bracketed(self._tree(first)) if grouped(sign, first, behind=False) else self._tree(first)
        right = self._part(sign, second)
        letters = left[-1].isalpha() and not right.startswith("e^")  # `xe^{x}`, but not `xx`
        beside = (right[0].isalpha() and not letters) or right.startswith(("(", r"\left(", *FUNCTION_SIGNS))
        if sign == "*" and unknowns(tree) and beside and (left[-1].isalnum() or left[-1] in "})"):
            return left + right
        written = {"*": self.times, ":": self.divided}.get(sign, sign)
        return f"{left} {written} {right}"

    def _part(self, sign: str, part: Tree) -> str:
        """Write what stands behind a sign."""
        tex = self._tree(part)
        return bracketed(tex) if grouped(sign, part, behind=True) else self.operand(tex)
