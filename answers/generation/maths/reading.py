"""A question's text → the problem it sets, if its words are on a closed list and its formula is clear."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import gcd
from pathlib import Path

from answers.errors import CannotAnswer
from answers.generation.maths.parser import MAX_LENGTH, parse
from answers.generation.maths.trees import Operation, Tree, Unknown, Value, unknowns


@dataclass(frozen=True, slots=True)
class Equation:
    left: Tree
    right: Tree
    unknown: str


Problem = Tree | Equation  # a calculation or an equation

_INSTRUCTIONS = tomllib.loads(Path(__file__).with_name("instructions.toml").read_text("utf-8"))
_LETTER = r"(?:la |the )?(?:variable |incognita |unknown )?(?P<letter>[a-z])"
_BEFORE = r"^[\s¿¡]*(?:por favor,? |please,? )?"
_AFTER = re.compile(
    r"(?:,?\s+(?:por favor|please|paso a paso|step by step|(?:para|for) (?P<letter>[a-z])))*[\s?.]*$"
)


def _patterns() -> Iterator[tuple[re.Pattern[str], str, str]]:
    """Give each instruction with what it asks for and its language; a formula may stand without any."""
    yield re.compile(r"^[\s¿¡]*(?P<colon>)"), "bare", ""
    for language, instructions in _INSTRUCTIONS.items():
        solve = instructions.pop("SOLVE")
        for kind, patterns in instructions.items():
            for pattern in patterns:
                asked = pattern.replace("SOLVE", solve).replace("LETTER", _LETTER)
                yield re.compile(rf"{_BEFORE}{asked}(?P<colon>\s*:\s*|\s+)"), kind, language


_PATTERNS = tuple(_patterns())


def read(text: str, language: str) -> Problem:
    """Return the problem a question sets; raises `CannotAnswer` unless it is one for sure."""
    if len(text) > MAX_LENGTH or language not in ("es", "en"):
        raise CannotAnswer("not a question for this tutor")
    text = unicodedata.normalize("NFC", text).replace("\N{NO-BREAK SPACE}", " ")
    folded = "".join(unicodedata.normalize("NFD", character)[0].lower()[:1] for character in text)
    problems: set[Problem] = set()
    for pattern, kind, spoken_in in _PATTERNS:
        if found := pattern.match(folded):
            with suppress(CannotAnswer):
                problems.add(_problem(text, folded, found, kind, "es" if spoken_in == "es" else language))
    if len(problems) != 1:
        raise CannotAnswer("not a question for this tutor")
    return problems.pop()


def _problem(text: str, folded: str, found: re.Match[str], kind: str, language: str) -> Problem:
    """Read what stands behind an instruction; its words decide what it may be."""
    ending = _AFTER.search(folded, found.end())
    formula = text[found.end() : ending.start() if ending else None].strip()
    named = {found.groupdict().get("letter"), ending["letter"] if ending else None} - {None}
    ends_in_letter = found["colon"].isspace() and found.groupdict().get("letter") == found[0].split()[-1]
    if ends_in_letter and not formula[:1].isalnum():  # "calcula x - 3 = 2x" does not name its unknown
        raise CannotAnswer("where does the formula begin?")
    if ":" in formula and (language == "en" or "simpl" in found[0]):
        raise CannotAnswer("a division or a ratio?")
    left, _, right = formula.partition("=")
    if not right.strip() and kind != "equation" and not named:
        return _calculation(parse(left, language), kind)
    if kind in ("calculation", "what is"):
        raise CannotAnswer("the words ask for something else")
    return _equation(parse(left, language), parse(right, language), {str(letter) for letter in named})


def _calculation(tree: Tree, kind: str) -> Tree:
    if unknowns(tree):
        raise CannotAnswer("an unknown without an equation")
    if isinstance(tree, Value) and (tree.decimal or gcd(tree.top, tree.bottom) == 1):
        raise CannotAnswer("nothing to work out")
    if kind in ("bare", "what is") and _may_be_a_name(tree, kind == "bare"):
        raise CannotAnswer("a date, a score, a name?")
    return tree


def _equation(left: Tree, right: Tree, named: set[str]) -> Equation:
    letters = unknowns(left) | unknowns(right)
    if len(letters) != 1 or not letters.isdisjoint("eiEI") or (named and named != {min(letters).lower()}):
        raise CannotAnswer("not an equation in one unknown")
    if all(isinstance(side, Value | Unknown) for side in (left, right)) and left != right:
        raise CannotAnswer("nothing to solve")
    return Equation(left, right, min(letters))


def _may_be_a_name(tree: Tree, bare: bool) -> bool:
    """Tell 9/11, 16:9, 50-50, 2020-2021, 4-4-2 and, if bare, 24/12-31/12 from what is to be worked out."""
    match tree:
        case Value(top, bottom):
            return bottom == 1 or top % bottom != 0 or top == bottom
        case Operation("-", (Value(above, 1, False), Value(below, 1, False))):
            return not below < above < 1000
        case Operation("-", (Value(bottom=first), Value(bottom=second))) if first > 1 and second > 1:
            return bare
    while isinstance(tree, Operation):  # 12:30:15, 4-4-2
        match tree:
            case Operation("-" | ":", (left, Value(_, 1, False))):
                tree = left
            case _:
                return False
    return True
