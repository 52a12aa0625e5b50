"""Equations in one unknown: what is looked for, linear ones, and the check of all."""

from collections.abc import Mapping
from fractions import Fraction

from answers.errors import CannotAnswer
from answers.generation.maths import quadratics
from answers.generation.maths.graphs import draw_lines
from answers.generation.maths.notation import Notation, added
from answers.generation.maths.polynomials import Polynomial, linear
from answers.generation.maths.reading import Equation
from answers.generation.maths.rewriting import Rewriter
from answers.generation.maths.telling import Telling
from answers.generation.maths.trees import Operation, Tree, Value, compute, nodes, substituted
from answers.generation.maths.verification import Root, verify_solutions
from answers.spoken import Tongue


def tell(equation: Equation, language: Tongue) -> Telling:
    """Tell how an equation is solved; raises `CannotAnswer`."""
    decimals = in_decimals(equation.left, equation.right)
    telling = Telling(Notation(language, equation.unknown, decimals))
    rewriter = Rewriter(telling, equation.left, equation.right)
    left, right = (side.checked() for side in rewriter.polynomials)
    difference = left - right
    if difference.degree > 2:
        raise CannotAnswer("the degree is too high")
    telling.step("goal")
    telling.say("goal", rewriter.shown)
    solutions: list[Root] | None
    if difference.degree == 2:
        seen = telling.notation.monomial(2) in rewriter.shown
        telling.say("goal.quadratic" if seen else "goal.product")
        solutions = quadratics.solve(telling, rewriter)
    else:
        telling.say("goal.balance")
        solutions = _solve_linear(telling, rewriter)
    verify_solutions(equation.left, equation.right, solutions)
    _check(telling, equation, solutions, difference)
    return telling


def in_decimals(*trees: Tree) -> bool:
    """Whether formulas are written with decimals and without fractions."""
    found = [node for tree in trees for node in nodes(tree)]
    divisions = any(isinstance(node, Operation) and node.sign in "/:" for node in found)
    broken = [node.decimal for node in found if isinstance(node, Value) and (node.decimal or node.bottom > 1)]
    return bool(broken) and all(broken) and not divisions


def _solve_linear(telling: Telling, rewriter: Rewriter) -> list[Root] | None:
    notation = telling.notation
    (first, second), shown = rewriter.polynomials, rewriter.shown
    telling.step("simplify")
    left, right = rewriter.collect()
    telling.step("alone")
    while left.degree > 1:
        power = left.degree
        left, right = _move(telling, "cancel", left, right, power)
    if not notation.decimals or first.degree > 1:  # cleared of decimals, a graph grows too large
        first, second, shown = left, right, notation.equation(left, right)
    left, right = isolate(telling, left, right)
    if left == right:
        telling.say("always")
        return None
    if not left[1]:
        telling.say("never")
        draw_lines(telling, shown, first, second, None)
        return []
    draw_lines(telling, shown, first, second, right[0])
    return [Root(right[0])]


def isolate(telling: Telling, left: Polynomial, right: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Tell how the unknown of a linear equation gets alone, and return the sides; it may fall out of both."""
    notation = telling.notation
    if right[1] and not left[1]:
        left, right = right, left
        telling.say("swap", notation.equation(left, right))
    if right[1]:
        left, right = _move(telling, "gather", left, right, 1)
    if not left[1]:
        return left, right
    if left[0]:
        left, right = _move(telling, "free", left, right, 0)
    _divide(telling, left[1], right[0])
    solution = right[0] / left[1]
    telling.say("solved", value=solution)
    return linear(1, 0), linear(0, solution)


def _move(
    telling: Telling, reason: str, left: Polynomial, right: Polynomial, power: int
) -> tuple[Polynomial, Polynomial]:
    """Take a term away from both sides, or add it when it is negative."""
    notation = telling.notation
    coefficient = left[power] if power != 1 else right[power]  # the unknown gathers on the left
    moved, opposite = Polynomial({power: coefficient}), Polynomial({power: -coefficient})
    verb, amount = ("subtract", moved) if coefficient > 0 else ("add", opposite)
    telling.say(f"{reason}.{verb}", amount=amount, term=Polynomial({1: left[1]}))
    sums = (added(notation.write(part) for part in (side, opposite) if part) for side in (left, right))
    telling.show(notation.equation(*sums))
    left, right = left - moved, right - moved
    telling.show(notation.equation(left, right))
    return left, right


def _divide(telling: Telling, coefficient: Fraction, constant: Fraction) -> None:
    """Tell how a x = b becomes x = b/a."""
    notation, x, solution = telling.notation, telling.notation.unknown, constant / coefficient
    if coefficient == -1:
        telling.say("opposite", notation.equation(x, solution))
    elif coefficient != 1:
        telling.say("divide", n=coefficient)
        chain = notation.chain(
            x, notation.bar(constant, coefficient), notation.number(solution, decimal=False)
        )
        telling.show(chain + notation.as_decimals(solution), color="good")


def _check(
    telling: Telling, equation: Equation, solutions: list[Root] | None, difference: Polynomial
) -> None:
    telling.step("check")
    if not solutions and difference.degree == 2:
        quadratics.check_none(telling, difference)
    elif not solutions:
        for value in (0, 1):
            _substitute(telling, equation, Fraction(value), "try")
        telling.say("confirmed.always" if solutions is None else "confirmed.never")
    elif solutions[0].factor:
        quadratics.check_irrational(telling, difference, solutions)
    else:
        for key, root in zip(("put", "put.again"), solutions, strict=False):
            _substitute(telling, equation, root.centre, key)
        telling.say("confirmed" if len(solutions) == 1 else "confirmed.two", value=solutions[0].centre)


def _substitute(telling: Telling, equation: Equation, value: Fraction, key: str) -> None:
    """Put a number in the place of the unknown, on both sides of the equation as it was asked."""
    telling.say(key, value=value)
    compare(telling, (equation.left, equation.right), {equation.unknown: value})


def compare(telling: Telling, sides: tuple[Tree, Tree], values: Mapping[str, Fraction]) -> None:
    """Put numbers in the place of unknowns, and tell what each side of an equation gives."""
    notation = telling.notation
    put = {
        name: Value.of(value, notation.decimals and value.denominator > 1) for name, value in values.items()
    }
    for name, side in zip(("left", "right"), sides, strict=True):
        tree = substituted(side, put)
        formula = notation.chain(tree, compute(tree))
        if len(formula) > 250:
            raise CannotAnswer("a formula is too long")
        telling.say(f"side.{name}", formula=formula)
