"""A calculation, one operation at a time: parentheses, powers, products, sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd, lcm

from answers.errors import CannotAnswer
from answers.generation.maths.notation import Notation, finite_decimals
from answers.generation.maths.telling import Telling
from answers.generation.maths.trees import Operation, Tree, Value, binary, compute, grouped, negative, nodes
from answers.generation.maths.verification import verify_number

MAX_OPERATIONS = 20
PHASES = ("parentheses", "powers", "products", "sums")
SIGNS = {"^": "powers", "*": "products", ":": "products", "simplify": "products", "+": "sums", "-": "sums"}
Fractional = tuple[list[str], int, int]  # formulas on the way, then the result, perhaps not in lowest terms
INVERSE = {"+": "-", "-": "+", "*": ":", ":": "*"}


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do: at which node, how deep in parentheses, by which sign."""

    node: Tree
    depth: int
    sign: str

    @property
    def order(self) -> tuple[int, int]:
        return -self.depth, PHASES.index(SIGNS[self.sign])

    @property
    def phase(self) -> str:
        return "parentheses" if self.depth else SIGNS[self.sign]


def tell(tree: Tree, notation: Notation) -> Telling:
    """Tell how a calculation is done; raises `CannotAnswer`."""
    tree = _arranged(tree)
    compute(tree)
    telling = Telling(notation)
    tasks = list(_tasks(tree)) or [Task(tree, 0, "simplify")]
    if len(tasks) > MAX_OPERATIONS:
        raise CannotAnswer("too many operations")
    single = len(tasks) == 1
    _introduce(telling, tree, tasks)
    current, phase = tree, ""
    while tasks:
        task = min((task for task in tasks if _ready(task.node)), key=lambda task: task.order)
        if task.phase != phase:
            phase = task.phase
            names = _names(telling, tasks, phase)
            telling.step("single" if single else "phase", what=names[0].upper() + names[1:])
        value = _work_out(telling, task.node)
        current = _replaced(current, task.node, value)
        tasks = list(_tasks(current))
        if tasks:
            telling.say("left", current)
    result = compute(current)
    verify_number(tree, result)
    telling.step("result")
    telling.say("result")
    shown = notation.write(current)
    decimals = notation.as_decimals(result).removeprefix(f" = {shown}")
    telling.show(notation.equation(tree, shown + decimals), color="good")
    _undo(telling, task.node, value)
    return telling


def _arranged(tree: Tree) -> Tree:
    """Write bars over more than two numbers as divisions, from left to right, as they will be worked out."""
    match tree:
        case Operation("*", (left, Operation("/", (top, bottom)))):
            return _arranged(binary(":", binary("*", left, top), bottom))
        case Operation(sign, parts):
            return Operation(":" if sign == "/" else sign, tuple(_arranged(part) for part in parts))
    return tree


def _tasks(tree: Tree, depth: int = 0) -> Iterator[Task]:
    """Find what is to be done, from left to right."""
    match tree:
        case Value() if _unreduced(tree):
            yield Task(tree, depth, "simplify")
        case Operation(sign, parts):
            for part in parts:
                yield from _tasks(part, depth + grouped(sign, part, part is parts[-1]))
            if len(parts) == 2:
                yield Task(tree, depth, sign)


def _ready(node: Tree) -> bool:
    return all(isinstance(part, Value) and not _unreduced(part) for part in node.parts)


def _unreduced(value: Value) -> bool:
    """Whether a fraction is a whole number."""
    return not value.decimal and value.bottom > 1 and value.top % value.bottom == 0


def _replaced(tree: Tree, node: Tree, value: Value) -> Tree:
    """Put a value where a node stood, the very one, and a minus before a value into it."""
    if tree is node:
        return value
    if not isinstance(tree, Operation):
        return tree
    parts = tuple(_replaced(part, node, value) for part in tree.parts)
    return Operation(tree.sign, parts) if len(parts) == 2 else negative(parts[0])


def _names(telling: Telling, tasks: list[Task], phase: str) -> str:
    """Name what a phase does: "the sums and differences"."""
    if phase == "parentheses":
        return telling.word("parentheses")
    here = {task.sign for task in tasks if task.phase == phase}
    return telling.word("and").join(telling.word(f"the.{sign}") for sign in SIGNS if sign in here)


def _introduce(telling: Telling, tree: Tree, tasks: list[Task]) -> None:
    telling.step("look")
    telling.say("look", tree)
    if len(tasks) == 1:
        telling.say(f"one.{tasks[0].sign}")
        return
    phases = sorted({task.phase for task in tasks}, key=PHASES.index)
    *others, last = (_names(telling, tasks, phase) for phase in phases)
    if others:
        telling.say("sequence", what=telling.word("then").join(others), last=last)
    else:
        telling.say("sequence.inside" if phases == ["parentheses"] else "sequence.one", what=last)


def _work_out(telling: Telling, node: Tree) -> Value:
    """Tell one operation and return its result."""
    notation = telling.notation
    middle: list[str] = []
    values = [leaf for leaf in nodes(node) if isinstance(leaf, Value)]
    decimals = any(value.decimal for value in values)
    mixed = decimals and any(not value.decimal and value.bottom > 1 for value in values)
    number = compute(node)
    result = Value.of(number, decimals and not mixed and bool(finite_decimals(number)))
    match node:
        case Value():
            middle = _simplify(telling, node)
        case Operation("^", (Value() as base, Value(exponent))):
            middle = _raise(telling, base, exponent)
        case Operation(sign, (Value() as left, Value() as right)):
            if mixed:
                left, right = (Value.of(value.fraction) for value in (left, right))
                telling.say("mixed")
                middle = [notation.operation(sign, left, right)]
            if (decimals and not mixed) or left.bottom == right.bottom == 1:
                _explain_plain(telling, sign, left, right, result)
            else:
                formulas, top, bottom = (_join if sign in "+-" else _multiply)(telling, sign, left, right)
                middle += formulas
                if gcd(top, bottom) > 1:
                    telling.say("then.simplify", on=True)
                    middle.append(notation.over(top, bottom))
    telling.show(notation.chain(node, *middle, result), board=False)
    return result


def _simplify(telling: Telling, value: Value) -> list[str]:
    notation, common = telling.notation, gcd(value.top, value.bottom)
    if common == value.bottom:
        telling.say("whole")
        return []
    telling.say("simplify", n=common)
    top, bottom = (notation.operation(":", number, common) for number in (abs(value.top), value.bottom))
    return ["-" * (value.top < 0) + notation.bar(top, bottom)]


def _raise(telling: Telling, base: Value, exponent: int) -> list[str]:
    notation = telling.notation
    about_sign = base.top < 0 and exponent > 1
    if about_sign:
        telling.say("power.odd" if exponent % 2 else "power.even")
    kind = "negative" if exponent < 0 else ("zero", "one", "many")[min(exponent, 2)]
    telling.say(f"power.{kind}", n=exponent, on=about_sign)
    if exponent < 0:
        return [notation.bar(1, notation.power(base, -exponent))]
    return [notation.product(*[notation.operand(base)] * exponent)] if 2 <= exponent <= 6 else []


def _explain_plain(telling: Telling, sign: str, left: Value, right: Value, result: Value) -> None:
    """Say what there is to say about whole numbers or decimals."""
    if sign == ":" and result.bottom > 1 and not result.decimal:
        telling.say("inexact")
    elif sign in "*:":
        about_sign = result.top != 0 and (left.top < 0 or right.top < 0)
        if about_sign:
            telling.say("signs.same" if result.top > 0 else "signs.different")
        telling.say(f"do.{sign}", on=about_sign)
    elif right.top < 0:
        telling.say("minus.minus" if sign == "-" else "plus.minus")
    else:
        telling.say(f"do.{sign}")


def _join(telling: Telling, sign: str, left: Value, right: Value) -> Fractional:
    """Explain a sum or difference with a fraction."""
    notation, middle = telling.notation, []
    bottom = lcm(left.bottom, right.bottom)
    first, second = (value.top * (bottom // value.bottom) for value in (left, right))
    if left.bottom == right.bottom:
        telling.say(f"same.{sign}")
    else:
        wholes = [value for value in (left, right) if value.bottom == 1]
        if wholes:
            telling.say("common.whole", number=wholes[0], m=bottom)
        else:
            telling.say("common", a=left.bottom, b=right.bottom, m=bottom)
        middle = [notation.operation(sign, Value(first, bottom), Value(second, bottom))]
    middle.append(notation.bar(notation.operation(sign, first, second), bottom))
    return middle, first + second if sign == "+" else first - second, bottom


def _multiply(telling: Telling, sign: str, left: Value, right: Value) -> Fractional:
    """Explain a product or quotient with a fraction."""
    notation, middle = telling.notation, []
    if sign == ":":
        telling.say("divide.fraction")
        right = Value(-right.bottom if right.top < 0 else right.bottom, abs(right.top))
        middle = [notation.operation("*", left, right)]
    telling.say("multiply.fractions", on=sign == ":")
    top, bottom = notation.product(left.top, right.top), notation.product(left.bottom, right.bottom)
    return [*middle, notation.bar(top, bottom)], left.top * right.top, left.bottom * right.bottom


def _undo(telling: Telling, node: Tree, result: Value) -> None:
    """Undo the last operation as a check."""
    match node:
        case Operation("*", (_, Value(0)) | (Value(0), _)):
            telling.say("times.zero")
        case Operation("+" | "-" | "*" | ":" as sign, (Value() as left, Value() as right)):
            notation = telling.notation
            telling.say("undo", notation.equation(notation.operation(INVERSE[sign], result, right), left))
        case _:
            telling.say("again")
