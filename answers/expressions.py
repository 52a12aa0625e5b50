"""Functions of x as a closed grammar: parsed into Python closures, never evaluated as code.

sum     = product {("+" | "-") product}
product = factor {["*" | "/"] factor}       a left-out sign is "*", before a name or a bracket only
factor  = ("+" | "-") factor | power
power   = atom ["^" factor]                 so -x^2 is -(x^2), and 2^3^2 is 2^(3^2)
atom    = number | "x" | "pi" | "e" | function "(" sum {"," sum} ")" | "(" sum ")"
"""

import math
import operator
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

MAX_LENGTH = 120
MAX_DEPTH = 30  # of brackets, signs and powers within one another

Function = Callable[[float], float]

_TOKEN = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+|[a-z]+|[-+*/^(),])")
_CONSTANTS = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sqrt": math.sqrt,
    "abs": math.fabs,
    "exp": math.exp,
    "ln": math.log,
    "log": math.log10,
    "floor": math.floor,
    "ceil": math.ceil,
}
_CHOICES: dict[str, Callable[[Sequence[float]], float]] = {"min": min, "max": max}


@lru_cache(maxsize=256)
def parse(expr: str) -> Function:
    """Return the function of x that `expr` writes; `ValueError` says what the grammar does not know.

    The function raises `ArithmeticError` or `ValueError` where it is not defined.
    """
    if len(expr) > MAX_LENGTH:
        raise ValueError(f"an expression has at most {MAX_LENGTH} characters")
    return _Parser(expr).whole()


def total(expr: str) -> Function:
    """Return the function that `expr` writes as one that is NaN where that has no finite value."""
    function = parse(expr)

    def value(x: float) -> float:
        try:
            y = function(x)
        except (ArithmeticError, ValueError):
            return math.nan
        return y if math.isfinite(y) else math.nan

    return value


def sample(expr: str, domain: Sequence[float], n: int = 121) -> list[list[float]]:
    """Return up to `n` points [x, y] evenly over `domain`, without those where `expr` has no finite value.

    Both are rounded to six significant digits. `ValueError` for what is no expression.
    """
    function = total(expr)
    start, end = domain
    xs = [start + (end - start) * (step / max(n - 1, 1)) for step in range(n)]
    points = ((x, function(x)) for x in xs)
    return [[float(f"{x:.6g}"), float(f"{y:.6g}")] for x, y in points if not math.isnan(y)]


class _Parser:
    def __init__(self, expr: str) -> None:
        self._tokens: list[str] = []  # the next one last
        self._depth = 0
        position, end = 0, len(expr.rstrip())
        while position < end:
            match = _TOKEN.match(expr, position, end)
            if match is None:
                raise ValueError(f"{expr[position:].strip()[0]!r} has no meaning in an expression")
            self._tokens.append(match[1])
            position = match.end()
        self._tokens.reverse()

    def whole(self) -> Function:
        function = self._sum()
        if self._tokens:
            raise ValueError(f"{self._tokens[-1]!r} stands where the expression should end")
        return function

    def _peek(self) -> str:
        return self._tokens[-1] if self._tokens else ""

    def _take(self, *wanted: str) -> str:
        """Take the next token if it is one of those wanted, else return an empty string."""
        return self._tokens.pop() if self._peek() in wanted else ""

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise ValueError(f"{wanted!r} is missing before {self._peek() or 'the end'!r}")

    def _sum(self) -> Function:
        left = self._product()
        while sign := self._take("+", "-"):
            left = _joined(operator.add if sign == "+" else operator.sub, left, self._product())
        return left

    def _product(self) -> Function:
        left = self._factor()
        while (sign := self._take("*", "/")) or self._peek().isalpha() or self._peek() == "(":
            left = _joined(operator.truediv if sign == "/" else operator.mul, left, self._factor())
        return left

    def _factor(self) -> Function:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"an expression nests at most {MAX_DEPTH} deep")
        sign = self._take("+", "-")
        function = self._factor() if sign else self._power()
        self._depth -= 1
        return _negative(function) if sign == "-" else function

    def _power(self) -> Function:
        base = self._atom()
        # Not `**`: it answers a negative base's root with a complex number.
        return _joined(math.pow, base, self._factor()) if self._take("^") else base

    def _atom(self) -> Function:
        atom = self._tokens.pop() if self._tokens else ""
        if atom == "(":
            inner = self._sum()
            self._need(")")
            return inner
        if atom == "x":
            return _x
        if atom[:1].isdigit() or atom[:1] == ".":
            return _constant(float(atom))
        if atom in _CONSTANTS:
            return _constant(_CONSTANTS[atom])
        if atom in _FUNCTIONS:
            (argument,) = self._arguments(atom, 1)
            return _applied(_FUNCTIONS[atom], argument)
        if atom in _CHOICES:
            return _chosen(_CHOICES[atom], self._arguments(atom))
        raise ValueError(f"{atom or 'the end'!r} stands where a number, x or a function should")

    def _arguments(self, name: str, count: int | None = None) -> list[Function]:
        self._need("(")
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        self._need(")")
        if count is not None and len(arguments) != count:
            raise ValueError(f"{name!r} takes {count} argument")
        return arguments


def _x(x: float) -> float:
    return x


def _constant(value: float) -> Function:
    return lambda x: value


def _negative(of: Function) -> Function:
    return lambda x: -of(x)


def _joined(operation: Callable[[float, float], float], left: Function, right: Function) -> Function:
    return lambda x: operation(left(x), right(x))


def _applied(function: Callable[[float], float], argument: Function) -> Function:
    return lambda x: float(function(argument(x)))


def _chosen(choose: Callable[[Sequence[float]], float], arguments: list[Function]) -> Function:
    return lambda x: choose([argument(x) for argument in arguments])
