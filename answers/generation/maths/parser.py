"""Formulas: characters → tokens → tree, within bounds that leave nothing to run away.

Where school books, calculators and people read a formula differently (`6/2(1+2)`, `2^3^2`, `8:4/2`,
`1.500`, `9^1/2`) there is no tree: a refused question is no harm, a wrong answer is. Spaces never decide,
since questions that differ in them alone share an answer.
"""

import re
from fractions import Fraction

from answers.errors import CannotAnswer
from answers.generation.maths.trees import Operation, Tree, Unknown, Value, binary, negative, unknowns

MAX_LENGTH = 200  # characters
MAX_DEPTH = 30  # parentheses
MAX_DIGITS = 12
MAX_EXPONENT = 10
SIGNS = str.maketrans("−–×·⋅∙÷∶∕⁄[]", "--****:://()")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
TOKEN = re.compile(r"([0-9][0-9.,]*)|((?<![A-Za-z])[A-Za-z](?![A-Za-z])|[-+*/:^()])")


def parse(formula: str, language: str) -> Tree:
    """Return the tree of a formula without `=`; raises `CannotAnswer` unless it is surely understood."""
    if len(formula) > MAX_LENGTH:
        raise CannotAnswer("the formula is too long")
    return _Parser(_tokens(formula, language)).whole()


def _tokens(formula: str, language: str) -> list[str | Value]:
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda run: "^" + run[0].translate(SUPERSCRIPTS), formula)
    text = text.translate(SIGNS)
    if re.search(r"\([-+ ]*[0-9]+,[0-9]+ *\)", text):
        raise CannotAnswer("this may be a point or an interval")
    if TOKEN.sub("", text).strip(" "):
        raise CannotAnswer("not a formula")
    return [_number(found[1], language) if found[1] else found[2] for found in TOKEN.finditer(text)]


def _number(text: str, language: str) -> Value:
    """Read a number; one mark before three digits may mean thousands or decimals, but for English."""
    mark, other = (".", ",") if language == "en" else (",", ".")
    if sum(character.isdigit() for character in text) > MAX_DIGITS:
        raise CannotAnswer("a number is too long")
    grouped = re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:\{other}[0-9]{{3}})+(?P<decimals>\{mark}[0-9]+)?", text)
    if grouped and (language == "en" or text.count(other) > 1 or grouped["decimals"]):
        text = text.replace(other, "").replace(mark, ".")
    elif re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", text) and not (language == "en" and mark in text):
        raise CannotAnswer("thousands or decimals?")
    elif language != "en":
        text = text.replace(",", ".", 1)
    if not re.fullmatch(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", text):
        raise CannotAnswer("not a number")
    number = Fraction(text)
    return Value(number.numerator, number.denominator, decimal="." in text)


class _Parser:
    """Recursive descent: sum → product → fraction → juxtaposed → signed → power → atom."""

    def __init__(self, tokens: list[str | Value]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.exponent_end = -1  # the place after the last exponent: `2^3x` says too little

    def whole(self) -> Tree:
        tree = self._sum()
        if self._next is not None:
            raise CannotAnswer("not a formula")
        return tree

    @property
    def _next(self) -> str | Value | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    @property
    def _last(self) -> str | Value | None:
        return self.tokens[self.place - 1] if self.place else None

    def _take(self, signs: str) -> str | None:
        token = self._next
        if isinstance(token, str) and token in signs:
            self.place += 1
            return token
        return None

    def _sum(self) -> Tree:
        tree = self._product()
        while sign := self._take("+-"):
            tree = binary(sign, tree, self._product())
        return tree

    def _product(self) -> Tree:
        tree, after_fraction = self._fraction(divisor=False)
        while sign := self._take("*:"):
            right, is_fraction = self._fraction(divisor=sign == ":")
            if sign == ":" and is_fraction and not after_fraction:
                raise CannotAnswer("what does the bar divide?")
            tree, after_fraction = binary(sign, tree, right), is_fraction
        return tree

    def _fraction(self, divisor: bool) -> tuple[Tree, bool]:
        """Read `a` or `a/b`, and tell which; a bar binds tighter than a division sign."""
        top, juxtaposed = self._juxtaposed()
        if divisor and juxtaposed:
            raise CannotAnswer("what is divided by what?")
        if not self._take("/"):
            return top, False
        match top:
            case Operation("^", (_, exponent)) if exponent == Value(1) or not unknowns(top):
                raise CannotAnswer("is the fraction in the exponent?")
        bottom, juxtaposed = self._juxtaposed()
        if juxtaposed or self._next == "/":
            raise CannotAnswer("what is divided by what?")
        match top, bottom:
            case Value(above, 1, False), Value(below, 1, False) if below > 0:
                return Value(above, below), True
        return binary("/", top, bottom), True

    def _juxtaposed(self) -> tuple[Tree, bool]:
        """Read factors written side by side (`2x`, `3(x+1)`), and tell whether there are several."""
        tree = self._signed()
        several = False
        while (following := self._next) is not None and (
            isinstance(following, Value) or following == "(" or following.isalpha()
        ):
            bare = self._last != ")" and not isinstance(self._last, Value)  # `x2` and `f(x)` are names
            if bare or isinstance(following, Value) or self.place == self.exponent_end:
                raise CannotAnswer("a factor without its sign")
            tree, several = binary("*", tree, self._power()), True
        return tree, several

    def _signed(self) -> Tree:
        before = self._last
        sign = self._take("+-")
        if sign and sign == before:
            raise CannotAnswer("one minus or two?")
        return negative(self._power()) if sign == "-" else self._power()

    def _power(self) -> Tree:
        base = self._atom()
        if not self._take("^"):
            return base
        opened = self._take("(")
        sign = self._take("-")
        exponent = self._next
        self.place += 1
        if opened and not self._take(")"):
            raise CannotAnswer("the exponent is not a plain number")
        if not isinstance(exponent, Value) or exponent.bottom != 1 or exponent.top > MAX_EXPONENT:
            raise CannotAnswer("the exponent is not a small number")
        if self._next == "^" or (sign and unknowns(base)):
            raise CannotAnswer("a power that is not explained here")
        self.exponent_end = self.place
        return binary("^", base, Value(-exponent.top if sign else exponent.top))

    def _atom(self) -> Tree:
        symbol = self._next
        self.place += 1
        if isinstance(symbol, Value):
            return symbol
        if symbol == "(":
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise CannotAnswer("too many parentheses")
            tree = self._sum()
            if not self._take(")"):
                raise CannotAnswer("a parenthesis is not closed")
            self.depth -= 1
            return tree
        if symbol is not None and symbol.isalpha():
            return Unknown(symbol)
        raise CannotAnswer("not a formula")
