"""Formulas: characters → tokens → tree, within bounds that leave nothing to run away.

Where school books, calculators and people read a formula differently (`6/2(1+2)`, `2^3^2`, `8:4/2`,
`1.500`, `9^1/2`) there is no tree: a refused question is no harm, a wrong answer is. Spaces never decide,
since questions that differ in them alone share an answer.
"""

import re
from fractions import Fraction

from answers.errors import CannotAnswer
from answers.generation.maths.trees import (
    FUNCTIONS,
    Operation,
    Tree,
    Unknown,
    Value,
    binary,
    compute,
    negative,
    unknowns,
)

MAX_LENGTH = 200  # characters
MAX_DEPTH = 30  # parentheses
MAX_DIGITS = 12
MAX_EXPONENT = 10
SIGNS = str.maketrans("−–×·⋅∙÷∶∕⁄[]", "--****:://()")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_NAMES = "|".join(FUNCTIONS)
TOKEN = re.compile(rf"([0-9][0-9.,]*)|((?<![A-Za-z])(?:[A-Za-z]|{_NAMES})(?![A-Za-z])|[-+*/:^()])")
_OTHER_NAMES = {"sen": "sin", "tg": "tan", "raiz": "sqrt", "raíz": "sqrt", "√": " sqrt "}
_BESIDE = re.compile(rf"(?<![A-Za-z])([xyzt])(?=(?:{_NAMES})(?![A-Za-z])|e\^)")  # `xsin(x)`, `xe^x`
# What a function without parentheses reaches, where nobody reads on: `sin 2x`, `sin x cos x`, not `√2x`.
_REACHED = re.compile(
    rf"(?<![A-Za-z])((?!sqrt +[0-9])(?:{_NAMES})) +([0-9]*[A-Za-z])"
    rf"(?= *$| *\)| +[-+] | *(?:\* *)?(?:{_NAMES})(?![A-Za-z]))"
)


def parse(formula: str, language: str, functions: bool = False) -> Tree:
    """Return the tree of a formula without `=`; raises `CannotAnswer` unless it is surely understood.

    `functions`: whether functions, powers of e and any exponent may stand in it.
    """
    if len(formula) > MAX_LENGTH:
        raise CannotAnswer("the formula is too long")
    return _Parser(_tokens(_named(formula) if functions else formula, language), functions).whole()


def _named(formula: str) -> str:
    """Write functions by one name, and what they reach in parentheses."""
    if ":" in formula or re.search("[⁰¹²³⁴⁵⁶⁷⁸⁹] *√", formula):
        raise CannotAnswer("a ratio, or another root?")
    for name, usual in _OTHER_NAMES.items():
        formula = formula.replace(name, usual)
    return _REACHED.sub(r"\1(\2)", _BESIDE.sub(r"\1 ", formula.translate(SIGNS)))


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

    def __init__(self, tokens: list[str | Value], functions: bool) -> None:
        self.tokens = tokens
        self.functions = functions
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
            apart = self.functions and following in ("e", *FUNCTIONS)  # `x sin(x)`, `x^2 e^x`
            ends = (bare or self.place == self.exponent_end) and not apart
            if ends or isinstance(following, Value):
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
        if self.functions:
            return self._raised(base)
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

    def _raised(self, base: Tree) -> Tree:
        """Read any number as an exponent, and a formula as that of e."""
        opened, sign = self._next == "(", self._take("-")
        exponent = self._atom()
        divisor = self.tokens[self.place + 1 : self.place + 2] if self._next == "/" and not opened else []
        plain = isinstance(exponent, Value) and not sign  # `x^3/2` says too little, `x^3/x` does not
        if self._next == "^" or (divisor and (not plain or isinstance(divisor[0], Value))):
            raise CannotAnswer("where does the exponent end?")
        if not opened and not (plain and base != Unknown("e") and self._next == "("):
            self.exponent_end = self.place
        exponent = negative(exponent) if sign else exponent
        if base == Unknown("e"):
            return Operation("exp", (exponent,))
        number = compute(exponent)
        if max(abs(number.numerator), number.denominator) > MAX_EXPONENT:
            raise CannotAnswer("the exponent is not a small number")
        return binary("^", base, Value.of(number))

    def _function(self, name: str) -> Tree:
        """Read what a function is of; `sin^2(x)` is the square of the sine."""
        raised = self._take("^")
        exponent = self._next if raised else None
        self.place += bool(raised)
        small = isinstance(exponent, Value) and exponent.bottom == 1 and 2 <= exponent.top <= MAX_EXPONENT
        if self._next != "(" or (raised and not small):
            raise CannotAnswer("a function of what?")
        applied = Operation(name, (self._atom(),))
        return binary("^", applied, exponent) if isinstance(exponent, Value) else applied

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
        if symbol in FUNCTIONS and self.functions:
            return self._function(str(symbol))
        if symbol is not None and symbol.isalpha() and len(symbol) == 1:
            return Unknown(symbol)
        raise CannotAnswer("not a formula")
