"""Derivatives as trees: found by rule, collected as far as a school would."""

from fractions import Fraction
from itertools import product
from math import gcd, lcm

from answers.errors import CannotAnswer
from answers.generation.maths.polynomials import Combination
from answers.generation.maths.trees import (
    FUNCTIONS,
    Operation,
    Tree,
    Unknown,
    Value,
    binary,
    is_sum,
    negative,
    total,
    unknowns,
)

MAX_TERMS = 40
MAX_DEPTH = 6  # how long it takes grows by a factor with each
HALF = Fraction(1, 2)

Factors = tuple[tuple[Tree, Fraction], ...]  # with their exponents, in the order in which they are written


class Products(Combination[Factors]):
    """A sum of products: numbers by the factors that they multiply."""

    def __mul__(self, other: "Products") -> "Products":
        if len(self) * len(other) > MAX_TERMS:
            raise CannotAnswer("too many terms")
        result = Products({})
        for (one, number), (another, times) in product(self.items(), other.items()):
            result += Products({_joined(one, another): number * times})
        return result

    def power(self, exponent: Fraction) -> "Products":
        if exponent == 1:
            return self
        if not self:
            raise CannotAnswer("a power of zero")
        ((factors, number),) = self.items() if len(self) == 1 else [((), Fraction(0))]
        plain = number == 1 and [power for _, power in factors] == [1]  # the root of x² is not x
        if number and (exponent.denominator == 1 or plain):
            raised = tuple((tree, power * exponent) for tree, power in factors)
            return Products({raised: number ** int(exponent) if number != 1 else 1})
        return _factor(written(self), exponent)

    @property
    def plain(self) -> bool:
        """Whether there are only powers of the unknown."""
        return all(isinstance(tree, Unknown) for factors in self for tree, _ in factors)


def derivative(tree: Tree) -> Tree:
    """Return the derivative of a function of one unknown; raises `CannotAnswer` when it grows too large."""
    if _depth(tree) > MAX_DEPTH:
        raise CannotAnswer("a function within too many others")
    return written(_derived(tree))


def _depth(tree: Tree) -> int:
    """Return how deep operations other than sums lie within one another."""
    return max(map(_depth, tree.parts), default=0) + (bool(tree.sign) and not is_sum(tree))


def outer(name: str, inner: Tree) -> Tree:
    """Return the derivative of a function at what it is of."""
    match name:
        case "sin":
            return Operation("cos", (inner,))
        case "cos":
            return negative(Operation("sin", (inner,)))
        case "tan":
            return binary("/", Value(1), binary("^", Operation("cos", (inner,)), Value(2)))
        case "ln":
            return binary("/", Value(1), inner)
        case "sqrt":
            return binary("/", Value(1), binary("*", Value(2), Operation("sqrt", (inner,))))
    return Operation(name, (inner,))


def normal(tree: Tree) -> Products:
    """Write a formula as a sum of products; powers of sums stay as they are."""
    match tree:
        case Value():
            return Products({(): tree.fraction})
        case Operation("-", (inner,)):
            return normal(inner).times(-1)
        case Operation("+" | "-" as sign, (left, right)):
            return normal(left) + normal(right).times(1 if sign == "+" else -1)
        case Operation("*", (left, right)):
            return normal(left) * normal(right)
        case Operation("/", (top, bottom)):
            return normal(top) * _inverse(bottom, 1)
        case Operation("^", (base, Value() as exponent)):
            return normal(base).power(exponent.fraction)
        case Operation("sqrt", (inner,)):
            return normal(inner).power(HALF)
    return _factor(tree, Fraction(1))


def written(products: Products) -> Tree:
    """Return a sum of products as a tree, what multiplies the same function taken together."""
    kinds: dict[Factors, Products] = {}
    for factors, number in products.items():
        kind = tuple((tree, power) for tree, power in factors if not isinstance(tree, Unknown))
        powers = tuple((tree, power) for tree, power in factors if isinstance(tree, Unknown))
        kinds[kind] = kinds.get(kind, Products({})) + Products({powers: number})
    return total(term for kind, powers in kinds.items() for term in _together(kind, powers))


def _together(kind: Factors, powers: Products) -> list[tuple[Fraction, Tree]]:
    ordered = sorted(powers.items(), key=lambda item: -sum(power for _, power in item[0]))
    if ordered[0][1] < 0 < ordered[-1][1]:
        ordered.reverse()  # `1 - x`
    if not kind or len(ordered) == 1:
        return [_product(number, _joined(factors, kind)) for factors, number in ordered]
    least = min(sum(power for _, power in factors) for factors in powers)
    letter = next(tree for factors in powers for tree, _ in factors)
    bottom = lcm(*(number.denominator for number in powers.values()))
    common = Fraction(gcd(*(int(number * bottom) for number in powers.values())), bottom)
    common = -common if all(number < 0 for number in powers.values()) else common
    below = least < 0 or least.denominator > 1
    outside: Factors = ((letter, Fraction(least)),) if below else ()
    inside = powers.times(1 / common) * Products({tuple((tree, -power) for tree, power in outside): 1})
    return [_product(common, _joined(_joined(outside, ((written(inside), Fraction(1)),)), kind))]


def _product(number: Fraction, factors: Factors) -> tuple[Fraction, Tree]:
    """Write a product as a fraction if something belongs below, its sign as that of the number."""
    above = _multiplied(abs(number.numerator), [(tree, power) for tree, power in factors if power > 0])
    below = _multiplied(number.denominator, [(tree, -power) for tree, power in factors if power < 0])
    sign = Fraction(-1 if number < 0 else 1)
    if below == Value(1):
        return sign, above
    if isinstance(above, Value) and isinstance(below, Value):
        return sign, Value(above.top, below.top)
    return sign, binary("/", above, below)


def _multiplied(number: int, factors: list[tuple[Tree, Fraction]]) -> Tree:
    trees: list[Tree] = [] if number == 1 and factors else [Value(number)]
    for tree, power in factors:
        whole, rest = divmod(power, 1)
        if rest not in (0, HALF):
            trees.append(binary("^", tree, Value.of(power)))
            continue
        if whole:
            trees.append(tree if whole == 1 else binary("^", tree, Value(int(whole))))
        if rest:
            trees.append(Operation("sqrt", (tree,)))
    result, *others = trees
    for other in others:
        result = binary("*", result, other)
    return result


def _derived(tree: Tree) -> Products:
    if not unknowns(tree):
        return Products({})
    match tree:
        case Unknown():
            return Products({(): 1})
        case Operation("-", (inner,)):
            return _derived(inner).times(-1)
        case Operation("+" | "-" as sign, (left, right)):
            result = _derived(left) + _derived(right).times(1 if sign == "+" else -1)
            return opened if (opened := _opened(result)).plain else result
        case Operation("*", (left, right)):
            return _factored(_derived(left) * normal(right) + normal(left) * _derived(right))
        case Operation("/", (top, bottom)):
            if not unknowns(bottom):
                return _derived(top) * _inverse(bottom, 1)
            above = _derived(top) * normal(bottom) - normal(top) * _derived(bottom)
            return _factored(above * _inverse(bottom, 2))
        case Operation("^", (base, Value() as exponent)):
            lower = exponent.fraction - 1
            power = _factor(base, lower) if lower == 1 and is_sum(base) else normal(base).power(lower)
            return _factored(power.times(exponent.fraction) * _derived(base))
        case Operation(name, (inner,)):
            return _factored(normal(outer(name, inner)) * _derived(inner))
    raise CannotAnswer("not a function that is differentiated here")


def _factored(products: Products) -> Products:
    """Take out what all terms have in common, and what is below a bar in any."""
    if products.plain:
        return products
    trees = {tree for factors in products for tree, _ in factors}
    least = {tree: min(dict(factors).get(tree, Fraction(0)) for factors in products) for tree in trees}
    kept = {tree: power for tree, power in least.items() if power < 0 or not isinstance(tree, Unknown)}
    common = _joined(tuple(kept.items()), ())
    inside = _opened(products * Products({tuple((tree, -power) for tree, power in common): 1}))
    if not inside or inside.plain or len(inside) == 1:
        return inside * Products({common: 1})
    return Products({_joined(common, ((written(inside), Fraction(1)),)): 1}) if common else products


def _opened(products: Products) -> Products:
    """Multiply sums out that are not raised to any power."""
    result = Products({})
    for factors, number in products.items():
        term = Products({tuple(item for item in factors if not _is_open(*item)): number})
        for tree, power in factors:
            term = term * normal(tree) if _is_open(tree, power) else term
        result += term
    return result


def _is_open(tree: Tree, power: Fraction) -> bool:
    return power == 1 and is_sum(tree)


def _factor(tree: Tree, power: Fraction) -> Products:
    return Products({((tree, power),): 1})


def _inverse(tree: Tree, power: int) -> Products:
    return normal(tree).power(Fraction(-power))


def _joined(one: Factors, other: Factors) -> Factors:
    """Multiply factors: the unknown first, then sums, powers of e, and functions."""
    powers = dict(one)
    for tree, power in other:
        powers[tree] = powers.get(tree, Fraction(0)) + power
    kept = [(tree, power) for tree, power in powers.items() if power]
    return tuple(sorted(kept, key=lambda item: (_rank(item[0]), repr(item[0]))))


def _rank(tree: Tree) -> int:
    if isinstance(tree, Unknown):
        return 0
    return 3 if tree.sign in FUNCTIONS and tree.sign != "exp" else 2 if tree.sign == "exp" else 1
