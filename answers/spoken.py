"""Mathematics read aloud: simple LaTeX turned into words of three languages; what has none is dropped.

The page has the same in JavaScript, with the same words: those of `spoken_words.json`.
"""

import json
import re
from pathlib import Path
from typing import Literal

Tongue = Literal["es", "en", "pt"]

MAX_DEPTH = 30  # of groups within one another; deeper ones are read flat

_TABLE = json.loads(Path(__file__).with_name("spoken_words.json").read_text(encoding="utf-8"))
_COLUMNS: dict[str, int] = {tongue: column for column, tongue in enumerate(_TABLE["languages"])}
_WORDS: dict[str, list[str]] = _TABLE["words"]  # of signs, and of commands by their names
_GREEK: dict[str, list[str]] = _TABLE["greek"]
_PHRASES: dict[str, list[str]] = _TABLE["phrases"]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+|\s+|.", re.DOTALL)
_FORMULA = re.compile(r"(?<!\\)(\${1,2})(?=[^\s$])(.+?)(?<![\s\\])\1(?!\d)", re.DOTALL)
_HERE = "\0"  # stands for a formula; no text that is stored contains it
# Marks of Markdown that are not read: what begins a line, then what stands round words.
_LINE_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+)+", re.MULTILINE)
_EMPHASIS = re.compile(
    r"\*\*|`|(?<!\w)__(?=[^\s_])|(?<=[^\s_])__(?!\w)"
    r"|(?<![\w\\*])([*_])(?=[^\s*_])((?:(?!\1)[^\n])+)(?<=[^\s*_\\])\1(?![\w*])"
)
_COMMAND = re.compile(r"\\([A-Za-z]+|.?)", re.DOTALL)

_WITH_BOUNDS = ("\\sum", "\\prod", "\\int", "\\lim")
_FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac")
_SPACES = ("", " ", ",", ";", ":", "!")
# So is their argument.
_UNREAD = ("\\begin", "\\end", "\\href", "\\includegraphics", "\\color", "\\textcolor", "\\hspace", "\\label")


def spoken_text(text: str, tongue: Tongue) -> str:
    """Return a text with its `$…$` formulas read aloud, without LaTeX commands and marks of Markdown."""
    formulas = iter([spoken(formula[2], tongue) for formula in _FORMULA.finditer(text)])
    plain = _LINE_MARK.sub("", _FORMULA.sub(_HERE, text))
    plain = _EMPHASIS.sub(lambda emphasis: emphasis[2] or "", plain)
    plain = _COMMAND.sub(lambda command: _escaped(command[1], tongue), plain)
    return " ".join(re.sub(_HERE, lambda _: next(formulas, ""), plain).split())


def spoken(tex: str, tongue: Tongue) -> str:
    """Return LaTeX mathematics in words."""
    words = _Reader(tex, tongue).phrase()
    words = re.sub(r"\s+(?=[,.;:!?)\]|])", "", words)
    return re.sub(r"(?<=[(\[])\s+", "", words).strip(" ,")


def _escaped(name: str, tongue: Tongue) -> str:
    return _command(name, tongue) if name.isalpha() else name.strip("\\")


def _word(name: str, tongue: Tongue) -> str:
    """Return the word for a sign or the name of a command; a sign without one stands for itself."""
    if words := _WORDS.get(name):
        return words[_COLUMNS[tongue]]
    greek = name.removeprefix("var")
    if words := _GREEK.get(greek.lower()):
        word = words[_COLUMNS[tongue]]
        return word.capitalize() if greek[0].isupper() else word
    return "" if name.isalpha() else name


def _command(name: str, tongue: Tongue) -> str:
    return "" if name in _SPACES else _word(name, tongue)


class _Reader:
    """Reads LaTeX from left to right; whatever is not well-formed is read as far as it goes."""

    def __init__(self, tex: str, tongue: Tongue) -> None:
        self._tongue = tongue
        tokens: list[str] = _TOKEN.findall(tex.replace("{,}", ","))  # as TeX writes a decimal comma
        self._tokens = [token for token in reversed(tokens) if not token.isspace()]
        self._depth = 0
        self._bounded = ""  # the sign before, as long as its bounds may follow

    def phrase(self, end: str = "") -> str:
        """Read up to and with the token `end`."""
        words = []
        while self._tokens and (token := self._tokens.pop()) != end:
            words.append(self._read(token))
        return " ".join(filter(None, words))

    def _read(self, sign: str) -> str:
        bounded, self._bounded = self._bounded, sign if sign in _WITH_BOUNDS else ""
        if sign == "{":
            return self._nested("}")
        if sign in ("^", "_"):
            return self._script(sign, bounded)
        if sign in _FRACTIONS:
            return f"{self._argument()} {self._say('over')} {self._argument()}"
        if sign == "\\sqrt":
            if not self._next_is("["):
                return f"{self._say('square root')} {self._argument()}"
            return f"{self._say('root')} {self._nested(']')} {self._say('of')} {self._argument()}"
        if sign in ("\\left", "\\right"):
            self._next_is(".")
            return ""
        if sign in _UNREAD:
            self._argument()
            return ""
        if sign in ("}", "$"):
            return ""
        if sign.startswith("\\"):
            return self._function(_command(sign[1:], self._tongue))
        return sign if sign.isalnum() else _word(sign, self._tongue)

    def _function(self, word: str) -> str:
        """Read what stands between a function and its argument: a power is the function's."""
        of = " " + self._say("of")
        if not word.endswith(of) or not self._next_is("^"):
            return word
        return f"{word.removesuffix(of)} {self._script('^', '')}{of}"

    def _script(self, sign: str, bounded: str) -> str:
        argument = self._argument()
        if bounded:
            self._bounded = bounded
            start = "as" if bounded == "\\lim" else "from"
            return f"{self._say(start if sign == '_' else 'until')} {argument}"
        if sign == "_":
            return f"{self._say('sub')} {argument}"
        if argument in ("2", "3"):
            return self._say("squared" if argument == "2" else "cubed")
        if argument in (_word("circ", self._tongue), _word("prime", self._tongue)):
            return argument
        return f"{self._say('power')} {argument}"

    def _argument(self) -> str:
        """Read one group, command or character; in brackets when it is more than a word."""
        if not self._tokens:
            return ""
        sign = self._tokens.pop()
        if sign[0].isalnum() and len(sign) > 1:
            self._tokens.append(sign[1:])
            return sign[0]
        if sign == "{":
            words = self._nested("}")
            return f"({words})" if " " in words else words
        self._tokens.append(sign)
        return self._nested()

    def _nested(self, end: str | None = None) -> str:
        """Read up to `end`, or only the next sign."""
        if self._depth >= MAX_DEPTH:
            return ""
        self._depth += 1
        words = self._read(self._tokens.pop()) if end is None else self.phrase(end)
        self._depth -= 1
        return words

    def _next_is(self, token: str) -> bool:
        """Take the next token if it is `token`."""
        if found := self._tokens[-1:] == [token]:
            self._tokens.pop()
        return found

    def _say(self, phrase: str) -> str:
        return _PHRASES[phrase][_COLUMNS[self._tongue]]
