"""Formulas in one line of plain characters: `\\frac{x^2}{2}` becomes `x²/2`."""

import re
import unicodedata
from collections.abc import Callable

_FRACTION, _UNDER, _ARROW, _OPEN, _CLOSE, _UP, _DOWN = "\ue000\ue001\ue002\ue003\ue004\ue005\ue006"
_HARD = str.maketrans(" -", "\xa0‐")  # what words keep, and formulas lose or change
_COMMANDS = {
    **{"frac": _FRACTION, "dfrac": _FRACTION, "tfrac": _FRACTION, "sqrt": "√", "underbrace": _UNDER},
    **{"xrightarrow": _ARROW, "{": _OPEN, "}": _CLOSE, "left": "", "right": "", "!": ""},
    **{"cdot": "·", "times": "×", "div": "÷", "pm": "±", "mp": "∓", "circ": "°", "degree": "°", "prime": "′"},
    **{"leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "lt": "<", "gt": ">"},
    **{"approx": "≈", "equiv": "≡", "propto": "∝", "infty": "∞", "in": "∈", "notin": "∉", "partial": "∂"},
    **{"to": "→", "rightarrow": "→", "longrightarrow": "→", "rightleftharpoons": "⇌", "Rightarrow": "⇒"},
    **{"implies": "⇒", "iff": "⇔", "Leftrightarrow": "⇔", "sum": "∑", "int": "∫", "angle": "∠"},
    **{"cup": "∪", "cap": "∩", "ldots": "…", "dots": "…", "cdots": "⋯", "lambda": "λ", "Lambda": "Λ"},
    **dict.fromkeys((" ", ",", ";", ":", "quad", "qquad", "\\"), "\xa0"),
    **dict.fromkeys(("mathrm", "mathbf", "mathit", "operatorname", "displaystyle"), ""),
}
_RAISED = str.maketrans("0123456789+-−=()nix°′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱˣ°′")
_LOWERED = str.maketrans("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_SIGNS = str.maketrans({"-": "−", "*": "·", "'": "′", "~": "\xa0", "&": "", " ": "", "\t": "", "\n": ""})
_LEFT_OVER = str.maketrans(_ARROW + _OPEN + _CLOSE + _UP + _DOWN, "→{}^_", "{}" + _FRACTION + _UNDER)

_WORDS = re.compile(r"\\(?:text|mbox)\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_RELATION = re.compile(r"\s*([=<>≤≥≠≈≡∝→⇒⇔⇌∈∉])\s*")
_BETWEEN = re.compile(r"(?<=[^\s(=<>≤≥≠≈≡→⇒+−·×±÷/^])\s*([+−·×±÷])\s*(?=\S)")
_SIMPLE = re.compile(r"[\w\ue006]+[⁰-₟²³¹]*|\d+[.,]\d+")


def readable(tex: str) -> str:
    """Return a LaTeX formula as plain text; what has no plain form keeps its name."""
    text = _WORDS.sub(lambda words: f"{{{words[1].translate(_HARD)}}}", tex.replace("{,}", ","))
    text = _COMMAND.sub(lambda command: _plain(command[1]), text).translate(_SIGNS)
    before = ""
    while text != before:  # from the innermost groups outward
        before = text
        for pattern, written in _RULES:
            text = pattern.sub(written, text)
    text = text.translate(_LEFT_OVER)
    return " ".join(_BETWEEN.sub(r" \1 ", _RELATION.sub(r" \1 ", text)).split())


def _plain(command: str) -> str:
    if (sign := _COMMANDS.get(command)) is not None:
        return sign
    case = "CAPITAL" if command[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {command.removeprefix('var')}")
    except KeyError:
        return command


def _script(match: re.Match[str]) -> str:
    sign, text = match[1], _argument(match[2])
    table = _RAISED if sign == "^" else _LOWERED
    short = sign == "^" or len(text) == 1 or not text.isalpha()  # words set low are hard to read
    if short and all(ord(character) in table for character in text):
        return text.translate(table)
    return (_UP if sign == "^" else _DOWN) + _bracketed(text)


def _root(match: re.Match[str]) -> str:
    index = match[1] or ""
    return {"": "√", "3": "∛"}.get(index, f"{index}√") + _bracketed(_argument(match[2]))


def _argument(text: str) -> str:
    return text[1:-1] if text.startswith("{") else text


def _bracketed(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else f"({text})"


_GROUP = r"(\{[^{}]*\}|[^{}])"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"{_UNDER}\{{([^{{}}]*)\}}_\{{([^{{}}]*)\}}"), lambda match: f"{match[1]} ({match[2]})"),
    (re.compile(rf"([\^_]){_GROUP}"), _script),
    (
        re.compile(_FRACTION + _GROUP + _GROUP),
        lambda match: "/".join(_bracketed(_argument(part)) for part in match.groups()),
    ),
    (re.compile(r"√(?:\[([^\]]*)\])?(\{[^{}]*\}|[^{}(])"), _root),
    (re.compile(rf"{_ARROW}\{{([^{{}}]*)\}}"), lambda match: f"→({match[1]})"),
    (re.compile(r"(?<![\^_√\]}\ue000-\ue002])\{([^{}]*)\}"), lambda match: match[1]),
)
