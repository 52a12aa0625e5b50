"""Quadratic equations: in order, then by the shortest way that a school teaches."""

from fractions import Fraction
from math import gcd, isqrt, lcm

from answers.generation.maths.graphs import draw_parabola, vertex
from answers.generation.maths.notation import Notation, added, bracketed
from answers.generation.maths.polynomials import Polynomial, linear
from answers.generation.maths.rewriting import Rewriter, zero_product
from answers.generation.maths.telling import Telling
from answers.generation.maths.verification import Root

ZERO = Fraction(0)


def solve(telling: Telling, rewriter: Rewriter) -> list[Root]:
    """Tell the way to all real solutions, a double one told once, and return them in rising order."""
    if factors := zero_product(*rewriter.sides):
        curve = factors[0] * factors[1]
        telling.step("zero.square" if factors[0] == factors[1] else "zero.product")
        solutions = _by_factors(telling, factors)
    else:
        curve = _order(telling, rewriter)
        a, b, c = (int(curve[power]) for power in (2, 1, 0))
        discriminant = b * b - 4 * a * c
        if b == 0:
            solutions = _by_root(telling, a, c)
        elif c == 0:
            solutions = _by_common_factor(telling, a, b)
        elif a == 1 and discriminant >= 0 and isqrt(discriminant) ** 2 == discriminant:
            solutions = _by_sum_and_product(telling, b, c, isqrt(discriminant))
        else:
            solutions = _by_formula(telling, a, b, c)
    draw_parabola(telling, curve, solutions)
    return solutions


def _order(telling: Telling, rewriter: Rewriter) -> Polynomial:
    """Bring the equation to a x² + b x + c = 0 with whole numbers as small as can be and a > 0."""
    telling.step("order")
    left, right = rewriter.collect()
    if right:
        left -= right
        telling.say("to.zero", telling.notation.equation(left, 0))
    reduced, common = _reduced(left)
    if common != 1:
        reason = "opposite.sides" if common == -1 else "smaller"
        telling.say(reason, telling.notation.equation(reduced, 0), n=common)
    return reduced.checked()


def _reduced(curve: Polynomial) -> tuple[Polynomial, Fraction]:
    """Divide for whole coefficients without a common factor, the first positive; return by what, too."""
    bottom = lcm(*(number.denominator for number in curve.values()))
    common = Fraction(gcd(*(int(number * bottom) for number in curve.values())), bottom)
    common = -common if curve[2] < 0 else common
    return curve.times(1 / common), common


def _by_factors(telling: Telling, factors: list[Polynomial]) -> list[Root]:
    """Solve a product of two linear factors that is zero."""
    notation, x, square = telling.notation, telling.notation.unknown, factors[0] == factors[1]
    telling.say("zero.square" if square else "zero.product")
    roots = []
    for factor in factors[:1] if square else factors:
        root = -factor[0] / factor[1]
        line = notation.equation(factor, 0)
        solved = rf"{line} \quad \Rightarrow \quad {x} = {notation.write(root)}"
        telling.show(line if factor == linear(1, 0) else solved)
        roots.append(root)
    return _rational(telling, roots)


def _by_root(telling: Telling, a: int, c: int) -> list[Root]:
    """Solve a x² + c = 0."""
    notation = telling.notation
    square = Fraction(-c, a)
    telling.step("square")
    if c or a != 1:
        telling.say("square.alone", notation.equation(notation.monomial(2), square))
    if square < 0:
        telling.say("square.negative")
        return []
    if square == 0:
        telling.say("square.zero")
        return _rational(telling, [square])
    outside, inside = extracted(square.numerator * square.denominator)  # √(p/q) = √(p·q)/q
    factor = Fraction(outside, square.denominator)
    written = rf"\pm {_radical(notation, factor, inside)}".replace(r"\pm \sqrt", r"\pm\sqrt")
    root = rf"\pm\sqrt{{{notation.write(square)}}}"
    telling.say("square.root", notation.chain(notation.unknown, root, written))
    return _both(telling, ZERO, factor, inside)


def _by_common_factor(telling: Telling, a: int, b: int) -> list[Root]:
    """Solve a x² + b x = 0."""
    inner = linear(a, b)
    telling.step("common.factor")
    telling.say("common.factor", f"{telling.notation.unknown}({telling.notation.write(inner)}) = 0")
    return _by_factors(telling, [linear(1, 0), inner])


def _by_sum_and_product(telling: Telling, b: int, c: int, root: int) -> list[Root]:
    """Solve x² + b x + c = 0 with whole solutions."""
    notation = telling.notation
    first, second = (b - root) // 2, (b + root) // 2  # sum b, product c
    telling.step("factor")
    telling.say("factor.search", c=c, b=b)
    sums = notation.equation(f"{notation.write(first)} + {notation.operand(second)}", b)
    products = notation.equation(notation.product(notation.operand(first), second), c)
    telling.say("factor.found", rf"{sums} \qquad {products}", on=True, first=first, second=second)
    factors = [linear(1, first), linear(1, second)]
    one, other = map(notation.write, factors)
    telling.say("factor.so", f"({one})^2 = 0" if one == other else f"({one})({other}) = 0")
    return _by_factors(telling, factors)


def _by_formula(telling: Telling, a: int, b: int, c: int) -> list[Root]:
    notation, write, x = telling.notation, telling.notation.write, telling.notation.unknown
    p, q, r = "pqr" if x.lower() in "abc" else "abc"
    discriminant = b * b - 4 * a * c
    telling.step("discriminant")
    first, second, third = (notation.equation(name, value) for name, value in ((p, a), (q, b), (r, c)))
    telling.say("coefficients", first=first, second=second, third=third)
    formula, values = f"{q}^2 - 4{p}{r}", f"{notation.power(b, 2)} - {notation.product(4, a, c)}"
    results = added([write(b * b), write(-4 * a * c)])
    telling.say("discriminant", notation.chain(r"\Delta", formula, values, results, discriminant))
    if discriminant < 0:
        telling.say("discriminant.negative")
        return []
    telling.say("discriminant.positive" if discriminant else "discriminant.zero")
    telling.step("formula")
    telling.say("formula")
    telling.show(rf"{x} = \frac{{-{q} \pm \sqrt{{\Delta}}}}{{2{p}}}", board=False)
    outside, inside = extracted(discriminant)
    centre, factor = Fraction(-b, 2 * a), Fraction(outside, 2 * a)
    roots = rf"\sqrt{{{write(discriminant)}}}", _radical(notation, Fraction(outside), inside)
    telling.say(
        "formula.put", notation.chain(x, *(notation.bar(rf"{write(-b)} \pm {root}", 2 * a) for root in roots))
    )
    if inside == 1 and discriminant:
        for number, sign, root in ((1, "-", centre - factor), (2, "+", centre + factor)):
            start = notation.bar(f"{write(-b)} {sign} {write(outside)}", 2 * a)
            end = notation.bar(int(root * 2 * a), 2 * a)
            telling.show(notation.chain(f"{x}_{number}", start, end, root))
    return _both(telling, centre, factor, inside)


def extracted(number: int) -> tuple[int, int]:
    """Return (k, r) with k²·r the number and r free of squares; at most its cube root turns."""
    outside, free, rest, divisor = 1, 1, number, 2
    while divisor**3 <= rest:
        while rest % divisor**2 == 0:
            rest //= divisor**2
            outside *= divisor
        if rest % divisor == 0:
            rest //= divisor
            free *= divisor
        divisor += 1
    # What is left has two prime factors at most.
    root = isqrt(rest)
    return (outside * root, free) if root * root == rest else (outside, free * rest)


def _rational(telling: Telling, found: list[Fraction]) -> list[Root]:
    notation, roots = telling.notation, sorted(set(found))
    if len(roots) == 1:
        telling.say("one.solution", value=roots[0])
    else:
        first, second = (
            notation.equation(f"{notation.unknown}_{n}", root) for n, root in enumerate(roots, 1)
        )
        telling.say("two.solutions", first=first, second=second)
    return [Root(root) for root in roots]


def _both(telling: Telling, centre: Fraction, factor: Fraction, inside: int) -> list[Root]:
    """Tell the solutions centre ± factor·√inside, exactly and, if they are irrational, rounded."""
    if inside == 1:
        return _rational(telling, [centre - factor, centre + factor])
    notation, roots = telling.notation, [Root(centre, signed, inside) for signed in (-factor, factor)]
    telling.say("exact.and.rounded")
    for number, root in enumerate(roots, 1):
        exact = notation.equation(f"{notation.unknown}_{number}", _surd(notation, root))
        telling.show(rf"{exact} \approx {notation.decimal(Fraction(float(root)), 2)}", color="good")
    return roots


def _radical(notation: Notation, factor: Fraction, inside: int) -> str:
    """Write factor·√inside, the factor positive."""
    if inside == 1:
        return notation.write(factor)
    number = "" if factor.numerator == 1 else notation.write(factor.numerator)
    return notation.over(rf"{number}\sqrt{{{notation.write(inside)}}}", factor.denominator)


def _surd(notation: Notation, root: Root) -> str:
    """Write an irrational solution exactly, over one denominator."""
    sign, factor = "-" * (root.factor < 0), abs(root.factor)
    if not root.centre:
        return sign + _radical(notation, factor, root.radicand)
    bottom = lcm(root.centre.denominator, factor.denominator)
    radical = sign + _radical(notation, factor * bottom, root.radicand)
    return notation.over(added([notation.write(root.centre * bottom), radical]), bottom)


def check_irrational(telling: Telling, difference: Polynomial, solutions: list[Root]) -> None:
    """Compare sum and product of the solutions with the coefficients."""
    notation = telling.notation
    total, product = -difference[1] / difference[2], difference[0] / difference[2]
    first, second = written = [_surd(notation, root) for root in solutions]
    factors = [bracketed(tex) if solutions[0].centre else notation.operand(tex) for tex in written]
    telling.say("vieta", total=total, product=product)
    telling.show(notation.equation(f"{first} + {second}", total), board=False)
    telling.show(notation.equation(notation.product(*factors), product), board=False)
    telling.say("vieta.confirmed")


def check_none(telling: Telling, difference: Polynomial) -> None:
    """Show that the least value of the ordered side is above zero."""
    curve, _ = _reduced(difference)
    where, height = vertex(curve)
    telling.say("none.vertex", curve=curve, vertex=where, height=height)
    telling.say("none.up")
