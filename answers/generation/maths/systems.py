"""Systems of two linear equations: by substitution if an unknown stands alone, else by elimination."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import lcm

from answers.errors import CannotAnswer
from answers.generation.maths.equations import compare, in_decimals, isolate
from answers.generation.maths.graphs import draw_system, equation_of
from answers.generation.maths.notation import Notation
from answers.generation.maths.polynomials import Form, Polynomial, form
from answers.generation.maths.reading import System
from answers.generation.maths.rewriting import Rewriter
from answers.generation.maths.telling import Telling
from answers.generation.maths.trees import Tree, Unknown, Value, substituted, total, unknowns
from answers.generation.maths.verification import verify_system
from answers.spoken import Tongue

Sides = tuple[Tree, Tree]
Solution = dict[str, Fraction] | None  # None: the unknowns fell out


def tell(system: System, language: Tongue) -> Telling:
    """Tell how a system is solved; raises `CannotAnswer`."""
    sides = [side for equation in system.equations for side in equation]
    telling = Telling(Notation(language, system.unknowns[0], in_decimals(*sides)))
    return _Solver(telling, system).tell()


class _Solver:
    """`rows`: the equations as forms that are zero."""

    def __init__(self, telling: Telling, system: System) -> None:
        self.telling = telling
        self.system = system
        self.rows = [(form(left) - form(right)).checked() for left, right in system.equations]
        for row, (left, right) in zip(self.rows, system.equations, strict=True):
            letters = unknowns(left) | unknowns(right)
            if not letters or letters != row.keys() - {""}:
                raise CannotAnswer("an unknown falls out of an equation")

    def tell(self) -> Telling:
        telling, (x, y) = self.telling, self.system.unknowns
        telling.step("system.goal")
        telling.say("system.goal", y=y)
        for n, (left, right) in enumerate(self.system.equations, start=1):
            telling.show(rf"{telling.notation.equation(left, right)} \qquad ({n})")
        isolated = self._isolated()
        if any(len(row.keys() - {""}) == 1 for row in self.rows):
            solution = self._one_after_the_other()
        elif self.system.method == "substitution" or (isolated and not self.system.method):
            solution = self._substitute(isolated)
        else:
            solution = self._eliminate()
        first, second = self.rows
        consistent = first.times(second[x] or second[y]) == second.times(first[x] or first[y])
        if not solution:
            telling.say("system.always" if consistent else "system.never")
            if consistent:
                name, value = self._alone(first)
                telling.show(telling.notation.equation(name, value), color="good")
        verify_system(self.system, solution, consistent)
        draw_system(telling, (x, y), self.rows, solution)
        self._check(solution, consistent)
        return telling

    def _isolated(self) -> tuple[int, str, Tree] | None:
        """Find an unknown that stands alone in an equation: where, which, and what it is."""
        for n, (left, right) in enumerate(self.system.equations):
            for one, other in ((left, right), (right, left)):
                if isinstance(one, Unknown) and unknowns(other) == {*self.system.unknowns} - {one.name}:
                    return n, one.name, other
        return None

    def _alone(self, row: Form) -> tuple[str, Tree]:
        """Solve row = 0 for the unknown with the plainest coefficient, the last of two such."""
        name = min(sorted(row.keys() - {""}, reverse=True), key=lambda name: abs(row[name]) != 1)
        return name, _tree(Form({**row, name: 0}).times(-1 / row[name]))

    def _one_after_the_other(self) -> Solution:
        """Solve the equation that has one unknown, then the other."""
        n = min(range(2), key=lambda n: len(self.rows[n].keys() - {""}))
        (name,) = self.rows[n].keys() - {""}
        self.telling.step("system.single")
        return self._other(1 - n, self.system.equations[1 - n], name, self._solved(n, name))

    def _substitute(self, isolated: tuple[int, str, Tree] | None) -> Solution:
        telling = self.telling
        if not isolated:
            self._order()
            n = min(range(2), key=lambda n: not {1, -1} & {*Form({**self.rows[n], "": 0}).values()})
            name, alone = self._alone(self.rows[n])
            rest, factor = Form({**self.rows[n], name: 0}), self.rows[n][name]
            telling.step("system.substitute")
            telling.say("system.isolate", n=n + 1, name=name)
            telling.show(telling.notation.equation(Form({name: factor}), rest.times(-1)))
        else:
            n, name, alone = isolated
            telling.step("system.substitute")
            telling.say("system.isolated", n=n + 1, name=name)
        if not isolated or self.system.equations[n][0] != Unknown(name):
            telling.show(telling.notation.equation(name, alone))
        (other,) = {*self.system.unknowns} - {name}
        value = self._solved(1 - n, other, {name: alone})
        if value is None:
            return None
        telling.step("system.other", name=name)
        put = substituted(alone, {other: self._value(value)})
        result = -(self.rows[n][other] * value + self.rows[n][""]) / self.rows[n][name]
        telling.say("system.back", other=telling.notation.equation(other, value), name=name)
        telling.show(telling.notation.chain(name, put, result), color="good")
        return {other: value, name: result}

    def _eliminate(self) -> Solution:
        telling, notation = self.telling, self.telling.notation
        self._order()
        factors = {}
        for name in self.system.unknowns:
            sizes = [abs(int(row[name])) for row in self.rows]
            factors[name] = [lcm(*sizes) // size for size in sizes]
        gone = min(factors, key=lambda name: (sum(n > 1 for n in factors[name]), max(factors[name])))
        (kept,) = {*self.system.unknowns} - {gone}
        telling.step("system.eliminate", name=gone)
        telling.say("system.eliminate", name=gone)
        rows = []
        for n, (row, factor) in enumerate(zip(self.rows, factors[gone], strict=True), start=1):
            rows.append(row.times(factor))
            if factor > 1:
                telling.say("system.times", equation_of(notation, rows[-1]), n=n, factor=factor)
        opposite = rows[0][gone] == -rows[1][gone]
        telling.say("system.add" if opposite else "system.subtract", name=gone)
        sign, joined = ("+", rows[0] + rows[1]) if opposite else ("-", rows[0] - rows[1])
        lefts = [notation.write(Form({**row, "": 0})) for row in rows]
        second = notation.operand(-rows[1][""])
        telling.show(f"({lefts[0]}) {sign} ({lefts[1]}) = {notation.write(-rows[0][''])} {sign} {second}")
        telling.show(equation_of(notation, joined))
        if not joined[kept]:
            return None
        self._name(kept)
        _, right = isolate(telling, Polynomial({1: joined[kept]}), Polynomial({0: -joined[""]}))
        n = min(range(2), key=lambda n: abs(self.rows[n][gone]))
        ordered = _tree(Form({**self.rows[n], "": 0})), Value.of(-self.rows[n][""])
        return self._other(n, ordered, kept, right[0])

    def _order(self) -> None:
        """Bring both equations to a x + b y = c with whole numbers."""
        telling, notation = self.telling, self.telling.notation
        telling.step("system.order")
        for n, (first, second) in enumerate(self.system.equations):
            left, right = form(first), form(second)
            shown = notation.equation(first, second)
            factor = lcm(*(number.denominator for side in (left, right) for number in side.values()))
            if notation.decimals:
                factor = next((10**places for places in range(7) if 10**places % factor == 0), factor)
            cleared = [side.times(factor).checked() for side in (left, right)]
            self.rows[n] = cleared[0] - cleared[1]
            steps = {
                "system.tidy": notation.equation(left, right),
                "clear.decimals" if notation.decimals else "clear": notation.equation(*cleared),
                "system.gather": equation_of(notation, self.rows[n]),
            }
            if shown != steps["system.gather"]:
                telling.say("system.order", n=n + 1)
            for key, tex in steps.items():
                if tex != shown:
                    telling.say(key, tex, n=factor)
                shown = tex

    def _solved(
        self, n: int, unknown: str, put: Mapping[str, Tree] | None = None, sides: Sides | None = None
    ) -> Fraction | None:
        """Put something into an equation and solve it for the unknown that is left, unless that falls out."""
        self._name(unknown)
        put = put or {}
        rewriter = Rewriter(
            self.telling, *(substituted(side, put) for side in sides or self.system.equations[n])
        )
        what = "".join(self.telling.notation.equation(*pair) for pair in put.items())
        self.telling.say("system.put" if put else "system.single", rewriter.shown, n=n + 1, put=what)
        left, right = isolate(self.telling, *rewriter.collect())
        return right[0] if left[1] else None

    def _other(self, n: int, sides: Sides, known: str, value: Fraction | None) -> Solution:
        """Find the other unknown from an equation, one being known."""
        (other,) = {*self.system.unknowns} - {known}
        self.telling.step("system.other", name=other)
        put = {known: self._value(value)} if value is not None and self.rows[n][known] else {}
        result = self._solved(n, other, put, sides)
        return None if value is None or result is None else {known: value, other: result}

    def _name(self, unknown: str) -> None:
        self.telling.notation = replace(self.telling.notation, unknown=unknown)

    def _value(self, number: Fraction) -> Value:
        return Value.of(number, self.telling.notation.decimals and number.denominator > 1)

    def _check(self, solution: Solution, consistent: bool) -> None:
        telling, notation = self.telling, self.telling.notation
        point = solution or self._point()
        first, second = (notation.equation(name, point[name]) for name in self.system.unknowns)
        telling.step("check")
        telling.say("system.check" if solution else "system.try", first=first, second=second)
        for n, sides in enumerate(self.system.equations, start=1):
            telling.say("system.check.line", n=n)
            compare(telling, sides, point)
        ending = "confirmed" if solution else "confirmed.always" if consistent else "confirmed.never"
        telling.say(f"system.{ending}", first=first, second=second)

    def _point(self) -> dict[str, Fraction]:
        """Return a point on the first line."""
        row = self.rows[0]
        name = next(name for name in reversed(self.system.unknowns) if row[name])
        return {**dict.fromkeys(self.system.unknowns, Fraction(0)), name: -row[""] / row[name]}


def _tree(row: Form) -> Tree:
    letters = sorted(row.keys() - {""})
    return total([(row[name], Unknown(name)) for name in letters] + [(row[""], Value(1))] * ("" in row))
