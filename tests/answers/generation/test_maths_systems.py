"""Linear systems: whatever way is told, the solution is the one that exact arithmetic finds."""

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.errors import CannotAnswer
from answers.expressions import parse as curve
from answers.generation.maths.reading import System, read
from answers.recording import Recording
from tests.answers.generation.test_maths import _number, check_contract, shown, told

SOLVED = re.compile(r"(?:solución es|solution is|solução é) \$(\w) = (.+?)\$, \$(\w) = (.+?)\$\.$")


def solution(recording: Recording, language: str) -> dict[str, Fraction | None] | None:
    found = SOLVED.search(recording.steps[-1].content)
    return {found[n]: _number(found[n + 1], language) for n in (1, 3)} if found else None


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("resuelve el sistema x + y = 5, 2x - y = 1", "es", "La solución es $x = 2$, $y = 3$."),
        ("solve the system 2x+3y=12 and x-y=1", "en", "The solution is $x = 3$, $y = 2$."),
        ("Resolva o sistema: a + b = 10; a = 4b", "pt", "A solução é $a = 8$, $b = 2$."),
        ("Resuelve: x + y = 5 y 2x - y = 1", "es", "$x = 2$, $y = 3$"),
        ("resuelve 2x - y = 1, y - x = 3", "es", "$x = 4$, $y = 7$"),
        ("x + y = 5\nx - y = 1", "es", "$x = 3$, $y = 2$"),
        ("Resuelve {x + y = 5, x - y = 1}", "es", "$x = 3$, $y = 2$"),
        (r"Solve \begin{cases} x+y=5 \\ x-y=2 \end{cases}", "en", r"$x = \frac{7}{2}$, $y = \frac{3}{2}$"),
        ("Halla x e y: 2x = 6, x + y/2 = 1", "es", "$x = 3$, $y = -4$"),
        ("Solve for s and t: 0.5s + t = 2, s - t = 1", "en", "$s = 2$, $t = 1$"),
        ("Resuelve el sistema a+b=0,5; a-b=1,5", "es", "$a = 1$, $b = -0{,}5$"),
        ("x/2 + y/3 = 4; 2(x-y) = 3y - 1", "es", r"$x = \frac{118}{19}$, $y = \frac{51}{19}$"),
        ("y = 2x+1, x+3y=10", "es", "Lo más corto es el método de sustitución."),
        ("Resuelve por reducción y = 2x+1, x+3y=10", "es", "Usamos el método de reducción"),
        ("Solve by substitution 2x+3y=12, 3x+2y=13", "en", r"$$y = -\frac{2}{3}x + 4$$"),
        ("0,5x + y = 2; x - 0,25y = 1", "es", r"\frac{40}{3} = 20$$" "\n\nPara quitar los denominadores"),
        ("2x + 4y = 1; x + 2y = 3", "es", "el sistema no tiene solución"),
        ("y = 3 - x; 2x + 2y = 6", "en", "There are infinitely many solutions"),
    ],
)
def test_states_the_exact_solution(text: str, language: str, words: str) -> None:
    recording = told(text, language)
    assert words in shown(recording)
    check_contract(recording)


@pytest.mark.parametrize(
    "text",
    [
        "resuelve el sistema x + y = 5",
        "resuelve el sistema x + y = 5, 2x - z = 1",
        "resuelve el sistema x·y = 5, x + y = 1",
        "resuelve el sistema x^2 + y = 5, x + y = 1",
        "resuelve el sistema 1/x + y = 5, x + y = 1",
        "resuelve el sistema x + y = 5, x + y - y = 1, x = 2",
        "resuelve el sistema x + y = x + y, x - y = 1",
        "resuelve el sistema x + y - y = 3, 2x = 6",
        "resuelve el sistema x + y = 5,5,2x - y = 1",  # 5,5 or 5,2?
        "resuelve 2x - y = 1, y -x = 3",  # "and -x = 3"?
        "resuelve x + y = 1,5 x - y = 0,5",  # 1,5, and the comma between the equations forgotten?
        "resuelve x + y = 3,5=x - y",  # a chain?
        "resuelve x + y - x = 3, x + y = 5",
        "resuelve el sistema x + X = 5, x - X = 1",
        "resuelve el sistema x + e = 5, x - e = 1",
        "x = 3, y = 2",
        "x = 3; 2x = 6; y = 1",
        "2x + 3 = 7 y 3x = 9",
        "Halla x: x + y = 5, x - y = 1",
        "Halla x y z: x + y = 5, x - y = 1",
        "Resuelve por igualación x + y = 5, x - y = 1",
        "Resuelve por sustitución 2x = 4",
        "Resuelve por sustitución por reducción x + y = 5, x - y = 1",
        "Calcula x + y = 5, x - y = 1",
        "resuelve el sistema x + y < 5, x - y = 1",
        "resuelve el sistema x + y = 5 o x - y = 1",
        "x + y = 5 = 2x - y = 1",
        "resuelve el sistema 999999x + 999998y = 1, 999997x + 999983y = 7/999979",
    ],
)
@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_refuses_what_is_not_surely_a_linear_system(text: str, language: str) -> None:
    with pytest.raises(CannotAnswer):
        told(text, language)


def test_many_spaces_take_no_longer() -> None:
    started = time.perf_counter()
    assert "$x = 3$, $y = 2$" in shown(told(f"x + y = 5{' ' * 170},x - y = 1"))
    assert time.perf_counter() - started < 1


COEFFICIENTS = st.integers(-9, 9)
LINES = st.tuples(COEFFICIENTS, COEFFICIENTS, COEFFICIENTS, st.integers(1, 6))


def _line(a: int, b: int, c: int, n: int, form: int) -> str:
    return (
        f"{a}x + ({b})y = {c}" if n == 1 else f"{a}x/{n} + ({b})y = {c}/{n}",
        f"y = {a}·(x - {c})/{n}",
        f"({a}x - {b})·2 = {n}y + ({c})",
    )[form]


@settings(deadline=None, max_examples=150)
@given(
    LINES,
    LINES,
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.sampled_from(["", "por sustitución ", "por reducción "]),
    st.sampled_from(["es", "en", "pt"]),
)
def test_any_system_is_solved_as_cramer_solves_it(
    one: tuple[int, int, int, int],
    other: tuple[int, int, int, int],
    forms: tuple[int, int],
    method: str,
    language: str,
) -> None:
    text = f"resuelve {method}{_line(*one, forms[0])}; {_line(*other, forms[1])}"
    try:
        problem = read(text, "es")
        recording = told(text, language)
    except CannotAnswer:
        return
    assert isinstance(problem, System)
    check_contract(recording)
    (a, b, c), (d, e, f) = (_row(*line, form) for line, form in zip((one, other), forms, strict=True))
    determinant = a * e - b * d
    commands = [command for step in recording.steps for command in step.commands]
    points = [(command["x"], command["y"]) for command in commands if command["op"] == "point"]
    if determinant:
        x, y = (c * e - b * f) / determinant, (a * f - c * d) / determinant
        assert solution(recording, language) == {"x": x, "y": y}
        assert not points or points == [pytest.approx((float(x), float(y)), abs=1e-4)]
    else:
        same = a * f == c * d and b * f == c * e
        words = ("infinit", "infinit") if same else ("no tiene solución", "no solution")
        assert any(
            word in shown(recording) for word in (*words, "não tem solução" if not same else "infinit")
        )
        assert solution(recording, language) is None and not points
    for row, line in zip(((a, b, c), (d, e, f)), _drawn(commands), strict=False):
        assert all(row[0] * x + row[1] * y == pytest.approx(float(row[2]), abs=1e-2) for x, y in line)


def _row(a: int, b: int, c: int, n: int, form: int) -> tuple[Fraction, Fraction, Fraction]:
    size = Fraction(n)
    rows = (
        (a / size, Fraction(b), c / size),
        (-a / size, Fraction(1), -a * c / size),
        (2 * a, -n, 2 * b + c),
    )
    return tuple(map(Fraction, rows[form]))  # type: ignore[return-value]


def _drawn(commands: list[dict[str, object]]) -> list[list[tuple[float, float]]]:
    """Two points of each line on the board."""
    lines = []
    for command in commands:
        if command["op"] == "plot":
            function = curve(str(command["expr"]))
            lines.append([(x, function(x)) for x in (-1.0, 2.0)])
        elif command["op"] == "line":
            lines.append([(x, y) for x, y in command["points"]])  # type: ignore[attr-defined]
    return lines
