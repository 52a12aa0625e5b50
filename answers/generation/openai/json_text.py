"""JSON read while it arrives, from writers who are bad at escaping LaTeX.

`JsonText` is read by coroutines that wait (`yield`) wherever the text ends so far, so that every character is
looked at once and a string can be told while it is still open. It forgives what models get wrong: commas too
many or too few, and a backslash that should have been two.
"""

import math
import re
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from answers.errors import AiInvalidAnswer

T = TypeVar("T")
Waiting = Generator[None, None, T]  # yields where more text is needed, returns T

MAX_DEPTH = 50
MAX_WORD = 64  # a number's digits; also keeps int() fast
MAX_NAME = 24  # letters of a LaTeX command

_PLAIN = re.compile(r'[^"\\]+')
_SPACE = re.compile(r"[\s,]+")
_WORD = frozenset("+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_HEX = frozenset("0123456789abcdefABCDEF")
_CONSTANTS = {"true": True, "false": False, "null": None}
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# The commands whose beginning JSON takes for a tab or a newline. Backspaces, form feeds and returns need no
# list: they never stand before a letter.
_LATEX = re.compile(
    "t(anh?|au|binom|ext(bf|it|rm|style|tt)?|frac|herefore|heta|ilde|imes|iny|o|op|riangle(left|q|right)?)"
    "|n(abla|atural|cong|e|earrow|eg|eq|exists|geq|gtr|i|leq|less|mid|ot|otin|parallel|sim|subseteq|u|warrow)"
)
_UNSETTLED = re.compile("[\x00\r\ud800-\udfff]")
_DOLLAR = re.compile(r"(?<!\\)\$")


class JsonText:
    """A JSON text of which more may come."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._depth = 0

    def feed(self, more: str) -> None:
        self._text = self._text[self._at :] + more
        self._at = 0

    def skip_to(self, char: str) -> Waiting[None]:
        """Step over whatever stands before `char`."""
        while (found := self._text.find(char, self._at)) < 0:
            self._at = len(self._text)
            yield
        self._at = found

    def token(self) -> Waiting[str]:
        """Return the character with which the next token begins, and leave it there."""
        while True:
            if space := _SPACE.match(self._text, self._at):
                self._at = space.end()
            if self._at < len(self._text):
                return self._text[self._at]
            yield

    def opens(self, bracket: str) -> Waiting[bool]:
        """Step into the object or array that comes next, if one does."""
        if (yield from self.token()) != bracket:
            return False
        self._at += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise AiInvalidAnswer("nested too deeply")
        return True

    def key(self) -> Waiting[str | None]:
        """Return the next key of the object, its value being next; None at the object's end."""
        if (yield from self._closes("}")):
            return None
        if (yield from self.token()) != '"':
            raise AiInvalidAnswer("an object's key is no string")
        key = yield from self.value()
        if (yield from self.token()) != ":":
            raise AiInvalidAnswer("an object's key has no value")
        self._at += 1
        return str(key)

    def item(self) -> Waiting[bool]:
        """Return whether the array has another item, which is next."""
        return not (yield from self._closes("]"))

    def value(self, formula: bool = False) -> Waiting[Any]:
        """Return the value that comes next. `formula`: a string in it is LaTeX from its first character."""
        start = yield from self.token()
        if start == '"':
            parts: list[str] = []
            yield from self.string(parts.append, formula)
            return "".join(parts)
        if start == "{":
            yield from self.opens("{")
            members: dict[str, Any] = {}
            while (key := (yield from self.key())) is not None:
                members[key] = yield from self.value(formula=key == "tex")
            return members
        if start == "[":
            yield from self.opens("[")
            items: list[Any] = []
            while (yield from self.item()):
                items.append((yield from self.value(formula)))
            return items
        return _constant((yield from self._run(_WORD, MAX_WORD)))

    def string(self, say: Callable[[str], None], formula: bool = False) -> Waiting[None]:
        """Tell the text of the string that comes next, each stretch as soon as it is certain."""
        yield from self.token()
        self._at += 1
        text = _Text(say, formula)
        while True:
            if plain := _PLAIN.match(self._text, self._at):
                self._at = plain.end()
                text.add(plain[0])
            char = yield from self._take()
            if char == '"':
                return text.end()
            if char == "\\":
                yield from self._escape(text)
            else:
                text.add(char)

    def _escape(self, text: "_Text") -> Waiting[None]:
        char = yield from self._take()
        if char in '"\\/':
            text.add(char)
        elif char == "u":
            digits = yield from self._run(_HEX, 4)
            text.add(chr(int(digits, 16)) if len(digits) == 4 else "\\u" + digits)
        elif char == "n" and not text.in_formula:
            text.add("\n")
        elif char in _CONTROLS:
            name = yield from self._run(_LETTERS, MAX_NAME)
            text.add(("\\" + char if _is_latex(char, name) else _CONTROLS[char]) + name)
        else:
            text.add("\\" + char)

    def _take(self) -> Waiting[str]:
        while self._at == len(self._text):
            yield
        self._at += 1
        return self._text[self._at - 1]

    def _run(self, allowed: frozenset[str], limit: int) -> Waiting[str]:
        """Return the allowed characters that come next, at most `limit`."""
        run = ""
        while len(run) < limit:
            while self._at == len(self._text):
                yield
            if self._text[self._at] not in allowed:
                break
            run += self._text[self._at]
            self._at += 1
        return run

    def _closes(self, bracket: str) -> Waiting[bool]:
        if (yield from self.token()) != bracket:
            return False
        self._at += 1
        self._depth -= 1
        return True


class _Text:
    """Decoded text on its way out: pairs of surrogates joined, CRLF and CR turned into LF, NUL refused."""

    def __init__(self, say: Callable[[str], None], formula: bool) -> None:
        self._say = say
        self._all_formula = formula
        self._odd_dollars = False  # since the line began
        self._half = ""  # a CR or the first half of a pair: what it becomes is still to come
        self._before = ""

    @property
    def in_formula(self) -> bool:
        """Whether what comes next stands inside `$…$`; inside `$$…$$` a line break is the likelier one."""
        return self._all_formula or self._odd_dollars

    def add(self, text: str) -> None:
        text, self._half = self._half + text, ""
        if _UNSETTLED.search(text):
            if text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff":
                text, self._half = text[:-1], text[-1]
            text = _settle(text)
        if not text:
            return
        line = text.rfind("\n") + 1
        dollars = len(_DOLLAR.findall(self._before + text, len(self._before) + line))
        self._odd_dollars = bool((dollars + (self._odd_dollars and not line)) % 2)
        self._before = text[-1]
        self._say(text)

    def end(self) -> None:
        if self._half:
            self._say(_settle(self._half))


def _settle(text: str) -> str:
    if "\x00" in text:
        raise AiInvalidAnswer("NUL in the text")
    try:
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise AiInvalidAnswer("half a surrogate pair in the text") from None
    return whole.replace("\r\n", "\n").replace("\r", "\n")


def _is_latex(char: str, name: str) -> bool:
    return bool(_LATEX.fullmatch(char + name) if char in "tn" else name)


def _constant(word: str) -> float | bool | None:
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    try:
        return int(word)
    except ValueError:
        pass
    try:
        number = float(word)
    except ValueError:
        raise AiInvalidAnswer("neither a value nor its end") from None
    if not math.isfinite(number):
        raise AiInvalidAnswer("a number that is none")
    return number
