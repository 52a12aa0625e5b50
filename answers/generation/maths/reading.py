"""A question's text → the problem it sets, if its words are on a closed list and its formula is clear."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from math import gcd
from pathlib import Path

from answers.errors import CannotAnswer
from answers.generation.maths.parser import MAX_LENGTH, parse
from answers.generation.maths.trees import Operation, Tree, Unknown, Value, is_sum, unknowns


@dataclass(frozen=True, slots=True)
class Equation:
    left: Tree
    right: Tree
    unknown: str


@dataclass(frozen=True, slots=True)
class System:
    """Two equations (left, right) in two unknowns; `method` is empty unless one is asked for."""

    equations: tuple[tuple[Tree, Tree], ...]
    unknowns: tuple[str, str]
    method: str


@dataclass(frozen=True, slots=True)
class Derivative:
    """What is asked for of the function `name`, as in `f(x)`, or of `y`."""

    tree: Tree
    unknown: str
    name: str


Problem = Tree | Equation | System | Derivative  # a tree alone is a calculation

_INSTRUCTIONS = tomllib.loads(Path(__file__).with_name("instructions.toml").read_text("utf-8"))
_LETTER = r"(?:la |the )?(?:variable |incognita |unknown )?(?P<letter>[a-z])"
_LETTERS = rf"{_LETTER}(?:,? (?:e|y|and) |, ?)(?P<other>[a-z])"
_METHODS = {
    "elimination": "elimination|eliminacion|reduccion|adicao",
    "substitution": "substitution|sustitucion|substituicao",
}
_METHOD = (
    r"(?:por|pela|con|usando|mediante|by|using)(?: (?:el|o) metodo d[ea](?: la)?| the method of)? "
    rf"(?P<method>{'|'.join(_METHODS.values())})(?: method)?"
)
_COLON = r"(?P<colon>\s*:\s*|\s+|(?<=d/d[a-z])(?=\())"
_BEFORE = r"^[\s¿¡]*(?:por favor,? |please,? )?"
_AFTER = re.compile(
    r"(?:,?\s+(?:por favor|please|paso a paso|step by step|(?:para|for|(?:con |com )?respecto (?:a|de)|"
    rf"em relacao a|with respect to) (?P<letter>[a-z])(?: (?:e|y|and) (?P<other>[a-z]))?|{_METHOD}))*[\s?.]*$"
)
_BETWEEN = (  # two equations; a comma may also be of a number, a letter an unknown
    re.compile(r"(?<!\s)\s*(?:,(?![0-9]+[\s=])|[;\n]|\\\\)\s*"),
    re.compile(r"(?<!\s)(?:\s*[,;\n])?\s+(?:y|e|and)\s+(?![-+]\s)", re.IGNORECASE),
)
_BRACED = re.compile(r"\\begin\{cases\}(.*?)(?:\\\\)?\s*\\end\{cases\}|\{(.*?)\}?", re.DOTALL)
_VERBS, _NOUNS = (
    "|".join(language.pop(name) for language in _INSTRUCTIONS.values()) for name in ("VERBS", "NOUNS")
)
_PRIME = r"(?:(?P<f>[a-z])\s*['’′]\s*(?:\(\s*(?P<x>[a-z])\s*\))?)"
_NAME = re.compile(r"(?:(?P<f>[A-Za-z])\s*\(\s*(?P<x>[A-Za-z])\s*\)|[yY])\s*=")


def _patterns() -> Iterator[tuple[re.Pattern[str], str, str]]:
    """Give each instruction with what it asks for and its language; a formula may stand without any."""
    yield re.compile(r"^[\s¿¡]*(?P<colon>)"), "bare", ""
    meanings = {"LETTERS": _LETTERS, "LETTER": _LETTER, "METHOD": f"(?: {_METHOD})?"}
    for language, instructions in _INSTRUCTIONS.items():
        meanings["SOLVE"], given = instructions.pop("SOLVE"), instructions.pop("GIVEN")
        for kind, patterns in instructions.items():
            for pattern in patterns:
                asked = re.sub("|".join(meanings), lambda name: meanings[name[0]], pattern)
                yield re.compile(rf"{_BEFORE}{asked}{_COLON}"), kind, language
        yield re.compile(rf"{_BEFORE}{given}(?P<colon>\s+)"), "given", language


_PATTERNS = tuple(_patterns())
_ASKED = re.compile(
    rf"(?:\s*[,;.:¿][\s¿]*(?:(?:{_VERBS})\s+)?|\s+(?:{_VERBS})\s+)(?:{_NOUNS}|{_PRIME})[\s?.]*$"
)


def read(text: str, language: str) -> Problem:
    """Return the problem a question sets; raises `CannotAnswer` unless it is one for sure."""
    if len(text) > MAX_LENGTH or language not in ("es", "en", "pt"):
        raise CannotAnswer("not a question for this tutor")
    text = unicodedata.normalize("NFC", text).replace("\N{NO-BREAK SPACE}", " ")
    folded = "".join(unicodedata.normalize("NFD", character)[0].lower()[:1] for character in text)
    problems: set[Problem] = set()
    for pattern, kind, spoken_in in _PATTERNS:
        if found := pattern.match(folded):
            numbers = language if spoken_in in ("", "en") else spoken_in
            with suppress(CannotAnswer):
                problems.add(_problem(text, folded, found, kind, numbers))
    if len(problems) != 1:
        raise CannotAnswer("not a question for this tutor")
    return problems.pop()


def _problem(text: str, folded: str, found: re.Match[str], kind: str, language: str) -> Problem:
    """Read what stands behind an instruction; its words decide what it may be."""
    if kind in ("bare", "given") and (asked := _ASKED.search(folded, found.end())):
        return _function(text[found.end() : asked.start()], language, asked)
    ending = _AFTER.search(folded, found.end())
    formula = text[found.end() : ending.start() if ending else None].strip()
    words = (found.groupdict(), ending.groupdict() if ending else {})
    named = {str(letters[name]) for letters in words for name in ("letter", "other") if letters.get(name)}
    method = [str(word["method"]) for word in words if word.get("method")]
    ends_in_letter = found["colon"].isspace() and found.groupdict().get("letter") == found[0].split()[-1]
    if ends_in_letter and not formula[:1].isalnum():  # "calcula x - 3 = 2x" does not name its unknown
        raise CannotAnswer("where does the formula begin?")
    if kind == "derivative" and not method:
        return _derivative(formula, language, named, alone="d/d" in found[0] and ":" not in found[0])
    if formula.count("=") == 2 and kind in ("system", "any", "bare"):
        return _system(formula, language, named, method)
    if method or kind in ("system", "given"):
        raise CannotAnswer("the words ask for something else")
    if ":" in formula and (language == "en" or "simpl" in found[0]):
        raise CannotAnswer("a division or a ratio?")
    left, _, right = formula.partition("=")
    if not right.strip() and kind != "equation" and not named:
        return _calculation(parse(left, language), kind)
    if kind in ("calculation", "what is"):
        raise CannotAnswer("the words ask for something else")
    return _equation(parse(left, language), parse(right, language), named)


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


def _system(formula: str, language: str, named: set[str], method: list[str]) -> System:
    """Read two equations, if there is one place alone where one can end and the other begin."""
    braced = _BRACED.fullmatch(formula)
    formula = (braced[1] or braced[2] or "").strip() if braced else formula
    readings = set()
    for start, separator in product(range(len(formula)), _BETWEEN):
        if found := separator.match(formula, start):
            sides = [part.split("=") for part in (formula[:start], formula[found.end() :])]
            with suppress(CannotAnswer):
                if all(len(side) == 2 for side in sides):
                    first, second = ((parse(one, language), parse(other, language)) for one, other in sides)
                    readings.add((first, second))
    if len(readings) != 1:
        raise CannotAnswer("two equations or not?")
    equations = readings.pop()
    letters = sorted({letter for sides in equations for side in sides for letter in unknowns(side)})
    small = {letter.lower() for letter in letters}
    if len(letters) != 2 or len(small) != 2 or small & {"e", "i"} or (named and named != small):
        raise CannotAnswer("not a system in two unknowns")
    if all(isinstance(left, Unknown) and isinstance(right, Value) for left, right in equations):
        raise CannotAnswer("nothing to solve")
    chosen = {name for name, words in _METHODS.items() for word in method if word in words.split("|")}
    if len(chosen) > 1:
        raise CannotAnswer("two methods")
    return System(equations, (letters[0], letters[1]), "".join(chosen))


def _function(text: str, language: str, asked: re.Match[str]) -> Derivative:
    """Read "f(x) = …, f'(x)?"; what is asked for must be of the function that is given."""
    named = _NAME.match(text.strip())
    if not named or (asked["f"] or named["f"] or "y").lower() != (named["f"] or "y").lower():
        raise CannotAnswer("the derivative of what?")
    return _derivative(text, language, {asked["x"]} - {None}, alone=False)


def _derivative(formula: str, language: str, named: set[str], alone: bool) -> Derivative:
    """Read a function, perhaps with its name; `alone`: behind a sign that may reach the first term only."""
    formula = formula.strip()
    name = _NAME.match(formula)
    formula = formula[name.end() :] if name else formula
    tree = parse(formula, language, functions=True)
    letters = unknowns(tree)
    if len(letters) != 1 or not letters.isdisjoint("eEiI"):
        raise CannotAnswer("not a function of one unknown")
    unknown = min(letters)
    opened = formula.startswith("(")
    if alone and (is_sum(tree) or (opened and tree.sign in ("*", "/"))):
        parse(formula.removeprefix("(").removesuffix(")"), language, functions=True)  # of one parenthesis
        if not opened:
            raise CannotAnswer("what is to be differentiated?")
    if unknown in "yY" and re.search(r"\) *[yY]", formula):  # the Spanish word "y"
        raise CannotAnswer("one function or two?")
    called = (name["f"] or "y") if name else "g" if unknown == "f" else "f"
    named |= {name["x"].lower()} if name and name["x"] else set()
    if named - {unknown.lower()} or called == unknown:
        raise CannotAnswer("by which unknown?")
    return Derivative(tree, unknown, called)


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
