"""Derivatives, rule by rule: what each is, how it applies, what it gives."""

from collections.abc import Iterator
from fractions import Fraction
from math import isclose
from typing import Any

from answers.errors import CannotAnswer
from answers.generation.maths.calculus import derivative, normal, outer
from answers.generation.maths.equations import in_decimals
from answers.generation.maths.graphs import draw_function
from answers.generation.maths.notation import Notation, bracketed
from answers.generation.maths.reading import Derivative
from answers.generation.maths.telling import Telling
from answers.generation.maths.trees import (
    FUNCTIONS,
    Operation,
    Tree,
    Unknown,
    Value,
    binary,
    is_sum,
    nodes,
    total,
    unknowns,
)
from answers.generation.maths.verification import slope_at, value_at, verify_derivative
from answers.spoken import Tongue

MAX_RULES = 16
FORMULAS = {  # U and V are functions, N and K numbers, X is the unknown
    "power": r"(X^N)' = N \cdot X^{N - 1}",
    "sum": r"(U \pm V)' = U' \pm V'",
    "factor": r"(K \cdot U)' = K \cdot U'",
    "product": r"(U \cdot V)' = U' \cdot V + U \cdot V'",
    "quotient": r"\left(\frac{U}{V}\right)' = \frac{U' \cdot V - U \cdot V'}{V^2}",
    "chain": r"(U^N)' = N \cdot U^{N - 1} \cdot U'",
}
SPOTS = (1, 2, -1, "0.5", 3, "0.2", "0.1", 0, 6, 10)  # for a tangent: the first that is fit
STEP = Fraction(1, 1000)
LIMIT = 10**4


def tell(asked: Derivative, language: Tongue) -> Telling:
    """Tell how a function is differentiated; raises `CannotAnswer`."""
    tree, x = asked.tree, asked.unknown
    telling = Telling(Notation(language, x, in_decimals(tree)))
    name, prime = ("y", "y'") if asked.name == "y" else (f"{asked.name}({x})", f"{asked.name}'({x})")
    found = derivative(tree)
    verify_derivative(tree, found)
    telling.step("derivative.goal")
    telling.say("derivative.goal", telling.notation.equation(name, tree), name=prime)
    _Teller(telling, prime).explain(tree, top=True)
    _show_and_check(telling, asked, {name: tree, prime: found})
    return telling


class _Teller:
    def __init__(self, telling: Telling, prime: str) -> None:
        self.telling = telling
        self.write = telling.notation.write
        self.prime = prime
        self.told: list[str] = []  # the rules until now
        x = telling.notation.unknown
        self.letters = dict(zip("UVNKX", ("pqmc" if x in "uvnk" else "uvnk") + x, strict=True))

    def explain(self, tree: Tree, top: bool = False) -> None:
        """Name the rule for a function, differentiate its parts, and put them together."""
        telling, rule, found = self.telling, _rule(tree), derivative(tree)
        if rule != "constant":
            verify_derivative(tree, found)
        if rule == "sum" and not top and normal(tree).plain:
            rule = "polynomial"
        parts = list(_parts(tree, rule))
        if top:
            telling.step(f"derivative.{rule}")
        self._name(tree, rule, parts)
        if top and parts:
            telling.step("derivative.parts")
        for part in parts:
            self.explain(part)
        left, right = self.prime if top else f"{bracketed(self.write(tree))}'", self.write(found)
        middle = list(self._middle(tree, rule))
        middle = [] if [_signs(tex) for tex in middle] == [_signs(right)] else middle
        if not top:
            if parts:
                telling.say("derivative.back", what=self.write(tree))
            telling.show(telling.notation.chain(left, *middle, right))
            return
        if parts:
            telling.step("derivative.together")
            telling.say("derivative.put")
        if middle:
            telling.show(telling.notation.chain(left, *middle))
            telling.say("derivative.simplify")
        telling.show(telling.notation.equation(left, right), color="good")

    def _name(self, tree: Tree, rule: str, parts: list[Tree]) -> None:
        """Tell a rule, in short if it has been told, and what its letters stand for."""
        if len(self.told) >= MAX_RULES:
            raise CannotAnswer("too many rules")
        if rule in self.told:
            title = self.telling.word(f"title.derivative.{rule}")
            self.telling.say("derivative.again", rule=title[0].lower() + title[1:])
        else:
            self.telling.say(f"derivative.{rule}")
        if formula := self._formula(tree, rule):
            self.telling.show(formula, board=not self.told)
        if rule in ("product", "quotient", "chain", "function"):
            names = zip((self.letters["U"], self.letters["V"]), parts, strict=False)
            what = [self.telling.notation.equation(name, part) for name, part in names]
            self.telling.say("derivative.names", what=r",\; ".join(what))
        self.told.append(rule)

    def _formula(self, tree: Tree, rule: str) -> str:
        """Return the rule itself, unless it has been told."""
        formula = "" if rule in self.told else FORMULAS.get(rule, "")
        if rule == "function":
            inner = Unknown("U")
            of = self.write(Operation(tree.sign, (inner,)))
            formula = rf"({of})' = {self.write(outer(tree.sign, inner))} \cdot U'"
        return "".join(self.letters.get(character, character) for character in formula)

    def _middle(self, tree: Tree, rule: str) -> Iterator[str]:
        """Give what a rule makes of a function before it is simplified."""
        write, times = self.write, self._times
        match rule, tree:
            case "power", _:
                ((((base, power),), number),) = normal(tree).items()
                exponent = Value.of(power)
                raised = write(total([(number, binary("^", base, exponent))]))
                if raised != write(tree):
                    yield f"{bracketed(raised)}'"
                lower = binary("^", base, Value.of(power - 1)) if power != 2 else base
                yield times(*([Value.of(number)] if number != 1 else []), exponent, lower)
            case "sum", _:
                terms = [(sign, derivative(part)) for sign, part in _terms(tree)]
                yield write(total(term for term in terms if term[1] != Value(0)))
            case "factor", Operation("-", (inner,)):
                yield f"-{times(derivative(inner))}"
            case "factor", Operation(sign, parts):
                ((constant, inner),) = [parts] if unknowns(parts[1]) else [parts[::-1]]
                yield times(constant if sign == "*" else binary("/", Value(1), constant), derivative(inner))
            case "product", Operation(_, (u, v)):
                yield f"{times(derivative(u), v)} + {times(u, derivative(v))}"
            case "quotient", Operation(_, (u, v)):
                top = f"{times(derivative(u), v)} - {times(u, derivative(v))}"
                yield rf"\frac{{{top}}}{{{write(binary('^', v, Value(2)))}}}"
            case "chain", Operation(_, (u, Value() as exponent)):
                lower = binary("^", u, Value.of(exponent.fraction - 1)) if exponent != Value(2) else u
                yield times(exponent, lower, derivative(u))
            case "function", Operation(name, (u,)):
                yield times(outer(name, u), derivative(u))

    def _times(self, *factors: Tree) -> str:
        first, *others = (
            bracketed(self.write(tree)) if is_sum(tree) else self.write(tree) for tree in factors
        )
        return r" \cdot ".join([first, *map(self.telling.notation.operand, others)])


def _signs(tex: str) -> list[str]:
    """Return what a formula is made of, whatever its order."""
    return sorted(tex.replace(r"\cdot ", "").replace(" ", ""))


def _rule(tree: Tree) -> str:
    """Name the rule for the outermost operation of a function."""
    if not unknowns(tree):
        return "constant"
    if not any(is_sum(node) or node.sign in FUNCTIONS for node in nodes(tree)):
        match [*normal(tree)]:
            case [()]:
                raise CannotAnswer("a constant that does not look like one")
            case [((Unknown(), power),)]:
                return "linear" if power == 1 else "power"
    if is_sum(tree):
        return "sum"
    match tree:
        case Operation("-", _):
            return "factor"
        case Operation("*" | "/" as sign, (left, right)):
            if not unknowns(right) or (sign == "*" and not unknowns(left)):
                return "factor"
            return "product" if sign == "*" else "quotient"
        case Operation("^", _):
            return "chain"
        case Operation(_, (Unknown(),)):
            return "table"
    return "function"


def _parts(tree: Tree, rule: str) -> Iterator[Tree]:
    """Give the functions whose derivatives a rule needs."""
    if rule == "sum":
        yield from (part for _, part in _terms(tree))
    elif rule == "factor":
        yield next(part for part in tree.parts if unknowns(part))
    elif rule in ("product", "quotient"):
        yield from tree.parts
    elif rule in ("chain", "function"):
        yield tree.parts[0]


def _terms(tree: Tree, sign: int = 1) -> Iterator[tuple[Fraction, Tree]]:
    """Take a sum apart at its outermost signs."""
    if is_sum(tree):
        yield from _terms(tree.parts[0], sign)
        yield Fraction(sign if tree.sign == "+" else -sign), tree.parts[1]
    else:
        yield Fraction(sign), tree


def _show_and_check(telling: Telling, asked: Derivative, curves: dict[str, Tree]) -> None:
    """Draw the function with a tangent, and compare its slope with that of a small step."""
    notation, (tree, _) = telling.notation, curves.values()
    for spot in SPOTS:
        where = Fraction(spot)
        height, slope = value_at(tree, float(where)), slope_at(tree, float(where))
        before, after = (value_at(tree, float(where + shift)) for shift in (-STEP, STEP))
        average = (after - before) / float(2 * STEP)
        seen = abs(height) <= LIMIT and 0.05 < abs(slope) <= LIMIT and abs(average - slope) < STEP
        if seen and (told := notation.decimal(Fraction(average), 2)) == notation.decimal(Fraction(slope), 2):
            break
    else:
        raise CannotAnswer("no point where it can be shown")
    low, at, high, twice = (notation.number(n, True) for n in (where - STEP, where, where + STEP, 2 * STEP))
    exact = isclose(slope, round(slope, 2), abs_tol=1e-9)
    value = f"= {notation.number(Fraction(f'{slope:.2f}'), True)}" if exact else rf"\approx {told}"
    words: dict[str, Any] = {"at": at, "slope": f"{asked.name}'({at}) {value}"}
    draw_function(telling, curves, (float(where), height, slope), words)
    telling.step("check")
    telling.say("derivative.check", low=low, high=high, **words)
    top = f"{asked.name}({high}) - {asked.name}({low})"
    telling.show(rf"{notation.bar(top, twice)} \approx {told}", board=False)
    telling.say("derivative.checked", **words)
