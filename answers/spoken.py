"""Mathematics read aloud: simple LaTeX turned into Spanish or English words; what has none is dropped."""

import re
from typing import Literal

Tongue = Literal["es", "en"]

MAX_DEPTH = 30  # of groups within one another; deeper ones are read flat

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+|\s+|.", re.DOTALL)
_FORMULA = re.compile(r"(?<!\\)(\${1,2})(?=[^\s$])(.+?)(?<![\s\\])\1(?!\d)", re.DOTALL)
_COMMAND = re.compile(r"\\([A-Za-z]+|.?)", re.DOTALL)

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi"
    "|psi|omega",
    re.IGNORECASE,
)
_GREEK_IN_SPANISH = {
    "alpha": "alfa",
    "epsilon": "épsilon",
    "zeta": "dseta",
    "upsilon": "ípsilon",
    "phi": "fi",
    "chi": "ji",
}
_WORDS = {
    "+": ("más", "plus"),
    "-": ("menos", "minus"),
    "−": ("menos", "minus"),
    "=": ("igual a", "equals"),
    "<": ("menor que", "less than"),
    ">": ("mayor que", "greater than"),
    "*": ("por", "times"),
    "/": ("entre", "over"),
    "'": ("prima", "prime"),
    "~": ("", ""),
    "&": ("", ""),
    "cdot": ("por", "times"),
    "times": ("por", "times"),
    "div": ("entre", "divided by"),
    "pm": ("más o menos", "plus or minus"),
    "mp": ("menos o más", "minus or plus"),
    "neq": ("distinto de", "not equal to"),
    "ne": ("distinto de", "not equal to"),
    "leq": ("menor o igual que", "less than or equal to"),
    "le": ("menor o igual que", "less than or equal to"),
    "lt": ("menor que", "less than"),
    "geq": ("mayor o igual que", "greater than or equal to"),
    "ge": ("mayor o igual que", "greater than or equal to"),
    "gt": ("mayor que", "greater than"),
    "approx": ("aproximadamente igual a", "approximately equal to"),
    "equiv": ("equivalente a", "equivalent to"),
    "propto": ("proporcional a", "proportional to"),
    "to": ("tiende a", "approaches"),
    "rightarrow": ("tiende a", "approaches"),
    "Rightarrow": ("implica", "implies"),
    "implies": ("implica", "implies"),
    "iff": ("si y solo si", "if and only if"),
    "Leftrightarrow": ("si y solo si", "if and only if"),
    "therefore": ("por lo tanto", "therefore"),
    "in": ("pertenece a", "in"),
    "notin": ("no pertenece a", "not in"),
    "subset": ("contenido en", "subset of"),
    "cup": ("unión", "union"),
    "cap": ("intersección", "intersection"),
    "emptyset": ("conjunto vacío", "empty set"),
    "forall": ("para todo", "for all"),
    "exists": ("existe", "there exists"),
    "infty": ("infinito", "infinity"),
    "angle": ("ángulo", "angle"),
    "triangle": ("triángulo", "triangle"),
    "parallel": ("paralela a", "parallel to"),
    "perp": ("perpendicular a", "perpendicular to"),
    "circ": ("grados", "degrees"),
    "degree": ("grados", "degrees"),
    "prime": ("prima", "prime"),
    "partial": ("parcial", "partial"),
    "nabla": ("nabla", "nabla"),
    "ldots": ("…", "…"),
    "cdots": ("…", "…"),
    "dots": ("…", "…"),
    "sum": ("suma", "sum"),
    "prod": ("producto", "product"),
    "int": ("integral", "integral"),
    "lim": ("límite", "limit"),
    "sin": ("seno de", "sine of"),
    "cos": ("coseno de", "cosine of"),
    "tan": ("tangente de", "tangent of"),
    "arcsin": ("arcoseno de", "arcsine of"),
    "arccos": ("arcocoseno de", "arccosine of"),
    "arctan": ("arcotangente de", "arctangent of"),
    "log": ("logaritmo de", "logarithm of"),
    "ln": ("logaritmo natural de", "natural logarithm of"),
    "exp": ("exponencial de", "exponential of"),
    "min": ("mínimo de", "minimum of"),
    "max": ("máximo de", "maximum of"),
    "\\": (",", ","),  # a new row
}
_PHRASES = {
    "over": ("sobre", "over"),
    "squared": ("al cuadrado", "squared"),
    "cubed": ("al cubo", "cubed"),
    "power": ("elevado a", "to the power of"),
    "sub": ("sub", "sub"),
    "square root": ("raíz cuadrada de", "square root of"),
    "root": ("raíz de índice", "root of index"),
    "of": ("de", "of"),
    "from": ("desde", "from"),
    "until": ("hasta", "to"),
    "as": ("cuando", "as"),
}
_WITH_BOUNDS = ("\\sum", "\\prod", "\\int", "\\lim")
_FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac")
_SPACES = ("", " ", ",", ";", ":", "!")
_FOR_THE_EYE = ("\\begin", "\\end", "\\color", "\\textcolor", "\\hspace", "\\label")  # so is their argument


def spoken_text(text: str, tongue: Tongue) -> str:
    """Return a text with its `$…$` formulas read aloud and no LaTeX command left."""
    pieces, position = [], 0
    for formula in _FORMULA.finditer(text):
        pieces += [_plain(text[position : formula.start()], tongue), spoken(formula[2], tongue)]
        position = formula.end()
    return " ".join("".join([*pieces, _plain(text[position:], tongue)]).split())


def spoken(tex: str, tongue: Tongue) -> str:
    """Return LaTeX mathematics in words."""
    words = _Reader(tex, tongue).phrase()
    words = re.sub(r"\s+(?=[,.;:!?)\]|])", "", words)
    return re.sub(r"(?<=[(\[])\s+", "", words).strip(" ,")


def _plain(text: str, tongue: Tongue) -> str:
    return _COMMAND.sub(lambda command: _command(command[1], tongue), text)


def _word(name: str, tongue: Tongue) -> str:
    """Return the word for a sign or the name of a command; a sign without one stands for itself."""
    if words := _WORDS.get(name):
        return words[tongue == "en"]
    greek = name.removeprefix("var")
    if _GREEK.fullmatch(greek):
        word = _GREEK_IN_SPANISH.get(greek.lower(), greek) if tongue == "es" else greek
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
        if sign in _FOR_THE_EYE:
            self._argument()
            return ""
        if sign in ("}", "$"):
            return ""
        if sign.startswith("\\"):
            return _command(sign[1:], self._tongue)
        return sign if sign.isalnum() else _word(sign, self._tongue)

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
        return _PHRASES[phrase][self._tongue == "en"]
