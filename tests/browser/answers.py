"""Answers that the page plays: with all that a text may hold, and drawings tied to it."""

from collections.abc import Iterable
from typing import Any

DRAWINGS = {"text", "math", "shape", "line", "axes", "plot", "point", "table", "image"}
BOX = {"y": 300, "w": 300, "h": 60}
FAMILY, BOLD_X = "👩‍👩‍👧‍👦", "𝒙"  # one cluster of seven code points; one code point of two UTF-16 units


def answer(question: str, *steps: dict[str, Any], language: str = "es") -> dict[str, Any]:
    return {
        "question_text": question,
        "language": language,
        "answer_steps": list(steps),
        "total_duration": 60,
    }


def step(title: str, *parts: str | dict[str, Any], type: str = "text") -> dict[str, Any]:
    return {"title": title, "type": type, "parts": list(parts)}


def text(id: str, text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"op": "text", "id": id, "text": text, "x": x, "y": y, **more}


EQUATION = "¿Cómo se despeja una incógnita?"
CURVE = "How steep is a parabola?"
PLAIN = "¿Qué hace el corazón?"
EMPTY_BOARD = "O que é uma fração?"

ANSWERS = [
    answer(
        EQUATION,
        step(
            "Lo que sabemos",
            f"Buscamos un número {FAMILY} y lo llamamos $x$. Si le sumamos **tres**, da siete:\n\n",
            {"op": "page", "id": "balanza", "title": "La balanza"},
            {"op": "math", "id": "ecuacion", "tex": "x + 3 = 7", "x": 400, "y": 120, "size": "l"},
            "$$x + 3 = 7$$\n\nEs una *balanza*: ",
            {"op": "shape", "id": "plato", "form": "rect", **BOX, "x": 200, "label": "x + 3"},
            {"op": "shape", "id": "otro", "form": "rect", **BOX, "x": 700, "label": "7"},
            "los dos lados pesan lo mismo.",
            type="math",
        ),
        step(
            "Quitamos tres",
            "Restamos lo mismo a los dos lados:\n\n1. a la izquierda queda $x$;\n",
            {"op": "line", "id": "flecha", "from": "plato", "to": "otro", "arrow": "end"},
            f"2. a la derecha queda $7 - 3 = 4$.\n\nAsí que {BOLD_X} es `cuatro`. ",
            {"op": "erase", "ids": ["flecha"]},
            {"op": "focus", "ids": ["plato"]},
            text("resultado", "x = 4", 560, 500, color="good"),
            "Compruébalo: ¿$4 + 3$ es 7? Sí.",
            type="math",
        ),
        step(
            "En la recta",
            "Sobre la recta de los números,",
            {"op": "page", "id": "recta", "title": "La recta"},
            {"op": "axes", "id": "ejes", "x": 100, "y": 300, "w": 1000, "h": 60, "xr": [0, 10], "xt": 1},
            " el cuatro está aquí. ",
            {"op": "point", "id": "cuatro", "in": "ejes", "x": 4, "y": 0, "label": "x"},
            "Al sumarle tres llegamos al siete.",
            {"op": "point", "id": "siete", "in": "ejes", "x": 7, "y": 0, "color": "accent", "label": "7"},
            type="image",
        ),
    ),
    answer(
        CURVE,
        step(
            "A curve",
            "The parabola $y = x^2$ bends upwards.",
            {"op": "page", "id": "curve"},
            {"op": "axes", "id": "axes", "x": 120, "y": 60, "w": 900, "h": 560, "xr": [-3, 3], "yr": [0, 9]},
            {"op": "plot", "id": "parabola", "in": "axes", "expr": "x^2", "color": "info"},
            " Its slope at $x = 1$ is $2$.",
            {"op": "plot", "id": "tangent", "in": "axes", "expr": "2*x-1", "color": "bad"},
        ),
        step("Everywhere", "At any place the slope is $2x$, so it grows *evenly*."),
        language="en",
    ),
    answer(
        PLAIN,
        step("Una bomba", "El corazón empuja la sangre. Late unas cien mil veces al día. ¿Y de noche? Sí."),
        step("Cuatro salas", "Tiene dos aurículas y dos ventrículos. La sangre entra por arriba y baja."),
    ),
    answer(
        EMPTY_BOARD,
        step("Partes", "Uma fração diz quantas partes iguais tomamos: $\\frac{3}{4}$ são três de quatro."),
        language="pt",
    ),
]  # fmt: skip


def standing(steps: Iterable[dict[str, Any]]) -> set[str]:
    """Return the ids of what stands on the last board after stored steps."""
    ids: set[str] = set()
    for each in steps:
        for command in each["canvas_commands"]:
            if command["op"] == "page":
                ids = set()
            elif command["op"] == "erase":
                ids -= set(command["ids"])
            elif command["op"] in DRAWINGS:
                ids.add(command["id"])
    return ids
