"""The board's vocabulary, its words and its curves."""

import json
import math
from typing import Any

import pytest

from answers import expressions
from answers.canvas import COMMANDS, canvas_schema, compose_alt, read_command
from answers.errors import InvalidContent
from answers.expressions import parse, sample
from answers.showing import MAX_ALT, as_shown
from answers.spoken import spoken, spoken_text

TRIANGLE = [[160, 560], [520, 560], [160, 290.5]]
BOX = {"x": 10, "y": 20, "w": 300, "h": 200}
BESIDE = {"ref": "tri", "side": "below"}

GOOD: list[dict[str, Any]] = [
    {"op": "text", "id": "t", "text": "El vértice $x^2$", "x": 0, "y": -1.5},
    {
        "op": "text",
        "id": "t",
        "text": "a" * 500,
        "place": {"ref": "tri", "side": "left", "align": "end", "gap": 200},
        "w": 0.5,
        "size": "xs",
        "align": "right",
        "color": "muted",
        "fill": "none",
        "in": "ax",
        "at": 0,
        "dur": 5000,
        "alt": "",
        "hidden": True,
    },
    {"op": "math", "id": "m", "tex": r"\frac{1}{2}", "x": 1_000_000, "y": -1_000_000},
    {"op": "math", "id": "m", "tex": "x", "place": BESIDE, "size": "xl", "align": "center", "color": "good"},
    {"op": "shape", "id": "s", "form": "polygon", "points": TRIANGLE, "color": "ink", "fill": "info"},
    {"op": "shape", "id": "s", "form": "rect", **BOX, "stroke": "dotted", "label": "b" * 80, "in": "ax"},
    {"op": "shape", "id": "s", "form": "arc", **BOX, "start": 720, "sweep": -360},
    {"op": "shape", "id": "s", "form": "brace", **BOX, "alt": "é" * 200},
    {"op": "shape", "id": "s", "form": "polygon", "points": [[0, 0]] * 64},
    {"op": "line", "id": "l", "points": [[0, 0], [1, 1]], "arrow": "both", "curve": False},
    {"op": "line", "id": "l", "from": "a", "to": "b", "stroke": "dashed", "label": ""},
    {"op": "axes", "id": "ax", **BOX, "xr": [-4, 4]},
    {"op": "axes", "id": "ax", **BOX, "xr": [0, 1e9], "yr": [5, -5], "xt": 1, "yt": 0.25, "grid": True},
    {"op": "axes", "id": "ax", **BOX, "xr": [-4, 4], "yr": [0, 1], "xl": "t", "yl": "v"},
    {"op": "plot", "id": "g", "in": "ax", "expr": "x^2-1", "domain": [-3, 3], "label": "y=x²−1"},
    {"op": "plot", "id": "g", "in": "ax", "data": [[0, 0]] * 256, "marks": True, "stroke": "solid"},
    {"op": "plot", "id": "g", "in": "ax", "expr": "sin(x)", "fill_to": 0, "color": "mark"},
    {"op": "plot", "id": "g", "in": "ax", "expr": "2x", "fill_to": "other"},
    {"op": "point", "id": "p", "x": 0, "y": 0},
    {"op": "point", "id": "p", "x": 0, "y": -1, "in": "ax", "mark": "open", "color": "bad", "label": "v"},
    {"op": "table", "id": "tb", "rows": [["x", "y"], ["1", ""]], "x": 5, "y": 5, "w": 90, "head": True},
    {"op": "table", "id": "tb", "rows": [["c" * 120] * 8] * 20, "place": BESIDE},
    {"op": "image", "id": "i", "asset": "Photo_1-a", **BOX, "alt": "Una célula"},
    {"op": "page", "id": "p1"},
    {"op": "page", "id": "a" * 32, "title": "Teorema de Pitágoras", "at": 7},
    {"op": "erase", "ids": ["a", "b-1_c"], "dur": 0},
    {"op": "erase", "ids": ["a"] * 32},
    {"op": "camera", "fit": ["ax", "g"], "dur": 600},
    {"op": "camera", "x": 0, "y": 0, "w": 640},
    {"op": "focus", "ids": ["f"], "how": "spotlight"},
    {"op": "focus", "ids": ["f"], "at": 171},
]

TEXT = {"op": "text", "id": "t", "text": "a", "x": 0, "y": 0}
PLOT = {"op": "plot", "id": "g", "in": "ax"}
POINT = {"op": "point", "id": "p", "x": 0, "y": 0}
AXES = {"op": "axes", "id": "ax", **BOX, "xr": [0, 1]}

BAD: list[tuple[Any, str]] = [
    (None, "Input"),
    ([], "Input"),
    ("text", "Input"),
    ({}, "op"),
    ({"op": "wait", "dur": 5}, "op"),
    ({"op": ["text"]}, "op"),
    ({**TEXT, "op": "Text"}, "op"),
    ({**TEXT, "id": "Ñ"}, "id"),
    ({**TEXT, "id": "a" * 33}, "id"),
    ({**TEXT, "id": "a\n"}, "id"),
    ({"op": "text", "text": "a", "x": 0, "y": 0}, "id"),
    ({**TEXT, "text": ""}, "text"),
    ({**TEXT, "text": "a" * 501}, "text"),
    ({**TEXT, "text": "a\0"}, "text"),
    ({**TEXT, "text": "\ud83d"}, "text"),
    ({**TEXT, "text": 5}, "text"),
    ({**TEXT, "place": BESIDE}, "either"),
    ({"op": "text", "id": "t", "text": "a"}, "either"),
    ({"op": "text", "id": "t", "text": "a", "x": 1, "place": BESIDE}, "either"),
    ({"op": "text", "id": "t", "text": "a", "place": {"ref": "b"}}, "place.side"),
    ({"op": "text", "id": "t", "text": "a", "place": {**BESIDE, "gap": 201}}, "place.gap"),
    ({"op": "text", "id": "t", "text": "a", "place": {**BESIDE, "dx": 1}}, "place.dx"),
    ({**TEXT, "color": "#ff0000"}, "color"),
    ({**TEXT, "color": "none"}, "color"),
    ({**TEXT, "html": "<b>"}, "html"),
    ({**TEXT, "in_": "ax"}, "in_"),
    ({**TEXT, "at": -1}, "at"),
    ({**TEXT, "at": 1.5}, "at"),
    ({**TEXT, "at": True}, "at"),
    ({**TEXT, "dur": 5001}, "dur"),
    ({**TEXT, "alt": "a" * 201}, "alt"),
    ({**TEXT, "hidden": 1}, "hidden"),
    ({**POINT, "x": "5"}, "x"),
    ({**POINT, "x": True}, "x"),
    ({**POINT, "x": None}, "x"),
    ({**POINT, "x": math.nan}, "x"),
    ({**POINT, "y": -math.inf}, "y"),
    ({**POINT, "y": 1_000_001}, "y"),
    ({**POINT, "y": 10**400}, "y"),
    ({"op": "math", "id": "m", "x": 0, "y": 0}, "tex"),
    ({"op": "shape", "id": "s", "form": "polygon", **BOX}, "points"),
    ({"op": "shape", "id": "s", "form": "polygon", "points": TRIANGLE[:2]}, "points"),
    ({"op": "shape", "id": "s", "form": "polygon", "points": [[0, 0, 0]] * 3}, "points[0]"),
    ({"op": "shape", "id": "s", "form": "rect", "points": TRIANGLE}, "x, y, w and h"),
    ({"op": "shape", "id": "s", "form": "rect", **BOX, "w": 0}, "w"),
    ({"op": "shape", "id": "s", "form": "star", **BOX}, "form"),
    ({"op": "shape", "id": "s", "form": "arc", **BOX, "sweep": 361}, "sweep"),
    ({"op": "line", "id": "l", "points": [[0, 0]]}, "points"),
    ({"op": "line", "id": "l", "from": "a"}, "either"),
    ({"op": "line", "id": "l", "from": "a", "to": "b", "points": [[0, 0], [1, 1]]}, "either"),
    ({**AXES, "xr": [0, 1, 2]}, "xr"),
    ({**AXES, "xr": [1, 1.0]}, "xr"),
    ({**AXES, "yr": [0, math.inf]}, "yr[1]"),
    ({**AXES, "in": "b"}, "in"),
    ({"op": "plot", "id": "g", "expr": "x"}, "in"),
    (PLOT, "either"),
    ({**PLOT, "expr": "x", "data": [[0, 0]]}, "either"),
    ({**PLOT, "data": []}, "data"),
    ({**PLOT, "expr": "x" * 121}, "expr"),
    ({**PLOT, "expr": "__import__('os')"}, "expr"),
    ({**PLOT, "expr": "x", "fill_to": "No id"}, "fill_to: Input"),
    ({"op": "table", "id": "t", "rows": [], "x": 0, "y": 0}, "rows"),
    ({"op": "table", "id": "t", "rows": [["a"] * 9], "x": 0, "y": 0}, "rows[0]"),
    ({"op": "table", "id": "t", "rows": [["a", 1]], "x": 0, "y": 0}, "rows[0][1]"),
    ({"op": "image", "id": "i", "asset": "a", **BOX}, "alt"),
    ({"op": "image", "id": "i", "asset": "a", **BOX, "alt": ""}, "alt"),
    ({"op": "image", "id": "i", "asset": "https://a/b", **BOX, "alt": "a"}, "asset"),
    ({"op": "page", "id": "p", "dur": 5}, "dur"),
    ({"op": "erase", "ids": []}, "ids"),
    ({"op": "erase", "ids": ["a"] * 33}, "ids"),
    ({"op": "camera"}, "either"),
    ({"op": "camera", "fit": ["a"], "x": 0, "y": 0, "w": 1}, "either"),
    ({"op": "focus", "ids": ["a"], "how": "blink"}, "how"),
]


def test_the_table_of_good_commands_covers_the_whole_vocabulary() -> None:
    assert {command["op"] for command in GOOD} == set(COMMANDS) and len(COMMANDS) == 13


@pytest.mark.parametrize("command", GOOD, ids=lambda command: command["op"])
def test_a_good_command_is_kept_as_it_was_written(command: dict[str, Any]) -> None:
    read = read_command(command)
    assert json.dumps(read, sort_keys=True) == json.dumps(command, sort_keys=True)  # 5 stays 5, not 5.0
    assert next(iter(read)) == "op"


@pytest.mark.parametrize(("command", "place"), BAD)
def test_a_bad_command_is_refused_by_the_place_of_what_is_wrong(command: Any, place: str) -> None:
    with pytest.raises(InvalidContent) as refused:
        read_command(command)
    problem = refused.value.problems[0]
    assert problem.startswith(place) or (": " not in problem and place in problem)
    assert problem.encode()


def test_null_counts_as_left_out() -> None:
    assert read_command({**TEXT, "place": None, "w": None, "at": None}) == TEXT


def test_where_a_command_stands_may_be_told_from_outside() -> None:
    assert read_command({**TEXT, "at": "the end"}, at=7) == {**TEXT, "at": 7}


def test_absurd_input_is_refused_briefly() -> None:
    nested: Any = []
    for _ in range(1000):
        nested = [nested]
    commands = (
        {**TEXT, "text": nested},
        {"op": "table", "id": "t", "rows": nested, "x": 0, "y": 0},
        {**TEXT, **{f"key{number}": nested for number in range(5000)}},
        {**TEXT, "\ud800" * 10_000: 1},
        {**TEXT, "k" * 10_000: 1},
        {**TEXT, 5: 1},
    )
    for command in commands:
        with pytest.raises(InvalidContent) as refused:
            read_command(command)
        assert len(str(refused.value).encode()) < 2000


def test_what_was_written_stays_out_of_the_error() -> None:
    with pytest.raises(InvalidContent) as refused:
        read_command({**TEXT, "color": "my secret", "size": "my secret"})
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_the_schema_names_every_command_and_parameter_as_it_is_written() -> None:
    schema = canvas_schema()
    definitions = schema["$defs"]
    assert len(schema["oneOf"]) == 13
    ops = {definitions[one["$ref"].split("/")[-1]]["properties"]["op"]["const"] for one in schema["oneOf"]}
    assert ops == set(COMMANDS)
    assert {"in", "from"} <= definitions["Line"]["properties"].keys()
    assert set(definitions["Plot"]["required"]) == {"op", "id", "in"}


# --- Words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", GOOD, ids=lambda command: command["op"])
@pytest.mark.parametrize("language", ["es", "en", "pt"])
def test_every_drawn_thing_has_short_words_without_latex(command: dict[str, Any], language: str) -> None:
    alt = as_shown(command, None, language).get("alt", "")
    assert bool(alt) == ("id" in command and command["op"] != "page")
    assert len(alt) <= MAX_ALT and "\\" not in alt and "$" not in alt
    assert not command.get("alt") or alt == command["alt"]


@pytest.mark.parametrize(
    ("command", "spanish", "english"),
    [
        (
            GOOD[14],
            "Gráfica de x^2-1 para x entre -3 y 3: y=x²−1",
            "Graph of x^2-1 for x between -3 and 3: y=x²−1",
        ),
        (GOOD[17], "Gráfica de 2x", "Graph of 2x"),
        (GOOD[0], "El vértice x al cuadrado", "El vértice x squared"),
        (GOOD[2], "Fórmula: 1 sobre 2", "Formula: 1 over 2"),
        (GOOD[4], "Polígono de 3 vértices", "Polygon with 3 corners"),
        ({"op": "shape", "form": "ellipse", "w": 5, "h": 5}, "Círculo", "Circle"),
        (GOOD[9], "Flecha", "Arrow"),
        (GOOD[5] | {"form": "arc"}, "Arco: " + "b" * 80, "Arc: " + "b" * 80),
        (GOOD[10], "Línea de a a b", "Line from a to b"),
        ({**GOOD[9], "in": "ax"}, "Flecha de (0, 0) a (1, 1)", "Arrow from (0, 0) to (1, 1)"),
        (GOOD[11], "Recta numérica de -4 a 4", "Number line from -4 to 4"),
        (GOOD[13], "Ejes: t de -4 a 4, v de 0 a 1", "Axes: t from -4 to 4, v from 0 to 1"),
        (GOOD[15], "Gráfica de 256 puntos", "Graph of 256 points"),
        (GOOD[19], "Punto (0, -1): v", "Point (0, -1): v"),
        (GOOD[20], "Tabla de 2 × 2: x, y; 1, ", "Table of 2 × 2: x, y; 1, "),
        ({"op": "image"}, "Imagen", "Image"),
        ({"op": "text", "text": "uno dos " * 50}, "uno dos " * 24 + "uno…", "uno dos " * 24 + "uno…"),
        (GOOD[23], "", ""),
    ],
)
def test_composed_words(command: dict[str, Any], spanish: str, english: str) -> None:
    assert (compose_alt(command, "es"), compose_alt(command, "en-GB")) == (spanish, english)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (GOOD[11], "Reta numérica de -4 a 4"),
        ({"op": "shape", "form": "ellipse", "w": 5, "h": 5}, "Círculo"),
        (GOOD[15], "Gráfico de 256 pontos"),
        ({**GOOD[9], "in": "ax"}, "Seta de (0, 0) a (1, 1)"),
    ],
)
def test_composed_words_in_portuguese(command: dict[str, Any], words: str) -> None:
    assert compose_alt(command, "pt-BR") == words


def test_a_language_without_words_is_told_in_spanish() -> None:
    assert compose_alt(GOOD[11], "fr") == compose_alt(GOOD[11], "es")


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        ("a^2+b^2=c^2", "a al cuadrado más b al cuadrado igual a c al cuadrado"),
        (
            r"x=\frac{-b\pm\sqrt{b^2-4ac}}{2a}",
            "x igual a (menos b más o menos raíz cuadrada de (b al cuadrado menos 4 ac)) sobre (2 a)",
        ),
        (r"\sum_{i=1}^{n} i^{k+1}", "suma desde (i igual a 1) hasta n i elevado a (k más 1)"),
        (r"\lim_{x\to0} f'(x)", "límite cuando (x tiende a 0) f prima (x)"),
        (
            r"\alpha \cdot \Delta \leq \varepsilon \neq \varphi",
            "alfa por Delta menor o igual que épsilon distinto de fi",
        ),
        (r"\sqrt[3]{8}\ge 90^\circ", "raíz de índice 3 de 8 mayor o igual que 90 grados"),
        (r"\frac12 x^23", "1 sobre 2 x al cuadrado 3"),
        (r"\text{si } x_{1},\; x_2 \unknown", "si x sub 1, x sub 2"),
        (r"\left\{ 3{,}5 \right.", "{ 3,5"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "1 2, 3 4"),
        ("\\" * 7, ""),
        ("{" * 500, ""),
        (r"\frac", "sobre"),
    ],
)
def test_latex_read_aloud(tex: str, words: str) -> None:
    assert spoken(tex, "es") == words


def test_latex_nested_beyond_reason_is_read_flat() -> None:
    assert spoken(r"\sqrt" * 5000 + "x", "en").startswith("square root of square root")
    assert spoken("{" * 5000 + "x" + "}" * 5000, "en") == "x"


def test_only_formulas_and_commands_of_a_text_are_read_aloud() -> None:
    text = r"Área: $\pi r^2$ = $$x-1$$, vale \$5 y $5 o $ 6, \alpha \foo a-b"
    assert spoken_text(text, "es") == "Área: pi r al cuadrado = x menos 1, vale $5 y $5 o $ 6, alfa a-b"


# --- Curves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "x", "y"),
    [
        ("x", 3, 3),
        ("-x^2", 3, -9),
        ("2^3^2", 0, 512),
        ("2^-x", 1, 0.5),
        ("2x^2", 3, 18),
        ("2(x+1)(x-1)", 3, 16),
        ("1/2x", 4, 2),
        ("10-4-3", 0, 3),
        ("16/4/2", 0, 2),
        ("--x + +1.", 2, 3),
        (" 2 * pi ", 0, math.tau),
        ("e^x", 1, math.e),
        (".5x", 1, 0.5),
        ("log(100)+ln(e)", 0, 3),
        ("min(x, 2, 5) + max(x)", 3, 5),
        ("floor(x)+ceil(x)", 2.5, 5),
        ("sin(x)^2+cos(x)^2", 1, 1),
        ("tan(atan(x))+asin(0)+acos(1)", 2, 2),
        ("sqrt(abs(x))exp(0)", -9, 3),
    ],
)
def test_an_expression_has_the_value_of_school_mathematics(expr: str, x: float, y: float) -> None:
    assert parse(expr)(x) == pytest.approx(y)


@pytest.mark.parametrize(
    "expr",
    [
        *("", " ", "(", ")", "()", "x)", "(x", "2 3", "x 2", "x2", "1e3", "1..2", "2,3", "x**2", "x+", "*x"),
        *("y", "X", "xx", "sin x", "sin", "sin()", "sin(x,1)", "min()", "π", "x²", "٣", "x=1", "x;x", "|x|"),
        *(
            "abs.__class__",
            "lambda x",
            "(" * 31 + "x" + ")" * 31,
            "-" * 31 + "x",
            "^".join("x" * 31),
            "x" * 121,
        ),
    ],
)
def test_what_the_grammar_does_not_know_is_refused(expr: str) -> None:
    with pytest.raises(ValueError):
        parse(expr)


def test_the_deepest_and_longest_expressions_are_read() -> None:
    depth = expressions.MAX_DEPTH - 1
    assert parse("(" * depth + "x" + ")" * depth)(5) == 5
    assert parse("+".join("x" * 60))(1) == 60


def test_a_sample_leaves_out_where_it_is_not_defined() -> None:
    assert sample("1/x", [-1, 1], 3) == [[-1, -1], [1, 1]]
    assert [x for x, _ in sample("sqrt(x)", [-1, 1], 5)] == [0, 0.5, 1]
    assert [x for x, _ in sample("x^0.5", [-1, 1], 5)] == [0, 0.5, 1]
    assert sample("9^9^9^9", [0, 1]) == []
    assert sample("exp(x)", [0, 1e300], 2) == [[0, 1]]
    assert sample("9*10^300*10^300-floor(10^300*10^300)", [0, 1]) == []
    assert sample("x", [-1e308, 1e308]) == []


def test_a_sample_has_its_points_evenly_over_its_domain() -> None:
    points = sample("x/3", [3, 0], 4)
    assert points == [[3, 1], [2, 0.666667], [1, 0.333333], [0, 0]]
