"""From a question's text to its key; two texts share a key only if they ask the same.

Every rule below stops where it could join two different questions: a miss costs a generation, a wrong hit
teaches something wrong. Changing what `normalize` returns needs a new `NORMALISER`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from unicodedata import normalize as unicode_form

import regex

from answers.errors import InvalidQuestion, QuestionEmpty, QuestionTooLong

NORMALISER = 1

MAX_QUESTION = 2_000
MAX_SENTENCE = 500
MAX_CONTEXT = 16
MAX_CONTEXT_KEY = 40
MAX_CONTEXT_VALUE = 200


@dataclass(frozen=True, slots=True)
class Question:
    """A question as its key sees it; `""` means: not given.

    `text`: as asked, trimmed. `other`: context beyond subject, level and language; it makes the answer
    private to `asker`, who is `""` otherwise.
    """

    text: str
    normalized: str
    language: str
    subject: str = ""
    level: str = ""
    other: Mapping[str, str] = field(default_factory=dict, hash=False)
    asker: str = ""

    @property
    def key(self) -> str:
        return self._key(self.subject, self.level)

    def keys(self) -> tuple[str, ...]:
        """Return the keys under which an answer to this question may stand, the most specific first."""
        if self.other:
            return (self.key,)
        scopes = ((self.subject, self.level), (self.subject, ""), ("", self.level), ("", ""))
        return tuple(dict.fromkeys(self._key(subject, level) for subject, level in scopes))

    def _key(self, subject: str, level: str) -> str:
        return key(self.normalized, self.language, subject, level, asker=self.asker, other=self.other)


def read_question(
    text: str, context: Mapping[str, str] | None = None, *, user_language: str = "es", asker: str = ""
) -> Question:
    """Check a question and its context and return what its key needs.

    Raises QuestionEmpty, QuestionTooLong or InvalidQuestion.
    """
    if not isinstance(text, str) or _REJECTED.search(text):
        raise InvalidQuestion("the question holds a character that no question may hold")
    text = text.strip()
    if not any(map(str.isalnum, text)):
        raise QuestionEmpty("the question has no letter and no digit")
    if len(text) > MAX_QUESTION:
        raise QuestionTooLong(f"a question has at most {MAX_QUESTION} characters")
    known = _checked_context({} if context is None else context)
    subject, level = fold(known.pop("subject", "")), fold(known.pop("level", ""))
    language = known.pop("language", "") or detect_language(text) or user_language
    other = {name: value for name, value in sorted(known.items()) if value}
    return Question(
        text=text,
        normalized=normalize(text),
        language=primary_language(language),
        subject=subject,
        level=level,
        other=other,
        asker=asker if other else "",
    )


def about(question: str, sentence: str, of: str) -> str:
    """Return the text of a question about a sentence of the explanation of another question, `of`.

    It asks by itself: whoever is lost at the same sentence asks the same, so it needs no key of its own kind.
    """
    # What an explanation may say goes further than what a question may hold.
    quoted = " ".join(_REJECTED.sub("", sentence).split())[:MAX_SENTENCE].rstrip()
    return f"{question.strip()} «{quoted}» — {of}"


def key(
    normalized: str,
    language: str,
    subject: str = "",
    level: str = "",
    *,
    asker: str = "",
    other: Mapping[str, str] | None = None,
) -> str:
    """Return the key, 64 hex digits; `subject` and `level` folded, `""` for an answer that holds for any."""
    parts: list[object] = [NORMALISER, normalized, language, subject, level]
    if other:
        parts += [asker, dict(other)]
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def fold(label: str) -> str:
    """Return a subject or level in the form in which two are compared."""
    return unicode_form("NFC", " ".join(label.split()).lower())


def primary_language(tag: str) -> str:
    """Return the primary subtag of a language tag in lower case: `es` of `es-MX`. Raises InvalidQuestion."""
    language = tag.strip().replace("_", "-").split("-")[0].lower()
    if not regex.fullmatch("[a-z]{2,8}", language):
        raise InvalidQuestion("the context's language is no language tag")
    return language


def _checked_context(context: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(context, Mapping) or len(context) > MAX_CONTEXT:
        raise InvalidQuestion(f"a context is an object of at most {MAX_CONTEXT} strings")
    for name, value in context.items():
        for string, longest in ((name, MAX_CONTEXT_KEY), (value, MAX_CONTEXT_VALUE)):
            if not isinstance(string, str) or len(string) > longest or _REJECTED.search(string):
                raise InvalidQuestion("the context holds something else than short strings")
    return {name: value.strip() for name, value in context.items()}


# --- Characters ---------------------------------------------------------------------------------------------

# Controls, lone surrogates, non-characters, and what can carry a hidden text: tags, further variation
# selectors, annotations, blank letters.
_REJECTED = regex.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufff9-\ufffb\u206a-\u206f"
    r"\u115f\u1160\u3164\uffa0\U000e0000-\U000e0fff]|[\ufe00-\ufe0f]{2}"
)
_INVISIBLE = (
    "\u00ad\u034f\u061c\u200b\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_SAME_SIGN: dict[int, str | None] = {
    **dict.fromkeys(map(ord, _INVISIBLE)),
    **{0xFEE0 + code: chr(code) for code in range(0x21, 0x7F) if chr(code).isalnum()},  # full width
    **{ord("\r"): "\n", 0x0B: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"},
    **{ord("−"): "-", ord("µ"): "μ", ord("℃"): "°C", ord("℉"): "°F"},
    **{0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"},
}
# A joiner shapes emoji and the scripts from Arabic on; beside anything else it is invisible.
_JOINED = r"\u0600-\u1cff\u2190-\u2bff\u2e80-\U0010ffff"
_JOINERS = regex.compile(
    rf"(?<![{_JOINED}\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![{_JOINED}\u200c\u200d])"
)
_SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SUBSCRIPT = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
# `x²` is `x^2` unless what follows would join the exponent: `x²3`, `x²y`, `x²/3`, `x²⁺¹`, `f²(x)`.
_POWERS = regex.compile(
    r"(?<=[\p{Lu}\p{Ll}0-9)\]])⁻?+[⁰¹²³⁴-⁹]++(?![\p{L}\p{N}\p{M}^/÷({\[!_⁺⁻⁼⁽⁾⁄]|[.,:]\d)"
)
_INDICES = regex.compile(r"(?<=[\p{Lu}\p{Ll})\]])[₀-₉]++(?![0-9₊-₎]|[.,]\d)")
_BESIDE_WORDS = r"""\p{L}\p{M}\s.,;:?!¿¡"'“”„‘’«»"""
_DOUBLE_QUOTES = regex.compile(rf"(?<![^{_BESIDE_WORDS}])(?:[“”„]|«(?=\S)|(?<=\S)»)(?![^{_BESIDE_WORDS}])")
_SINGLE_QUOTES = regex.compile(rf"(?<![^{_BESIDE_WORDS}])[‘’](?![^{_BESIDE_WORDS}])")
_WORD_DASHES = regex.compile(r"(?<=\p{L}{2}\s*)[‐‑‒–—―](?=\s*\p{L}{2})")
_TIMES = regex.compile(r"(?<=[0-9]\s*)×(?=\s*[0-9])")


def normalize(text: str) -> str:
    """Return the text in the form that all spellings of one question share; idempotent."""
    text = unicode_form("NFC", text).replace("\r\n", "\n").translate(_SAME_SIGN)
    text = unicode_form("NFC", _JOINERS.sub("", text))
    text = _INDICES.sub(lambda digits: "_" + digits[0].translate(_SUBSCRIPT), text)
    text = _POWERS.sub(lambda digits: "^" + digits[0].translate(_SUPERSCRIPT), text)
    text = _SINGLE_QUOTES.sub("'", _DOUBLE_QUOTES.sub('"', text))
    text = _TIMES.sub("*", _WORD_DASHES.sub("-", text)).replace("...", "…")
    return _without_capital(_without_edges(_spaced(_without_edges(text))))


# --- Spaces -------------------------------------------------------------------------------------------------

_PROSE_BREAK = regex.compile(r"(?<=\p{L}{2}[.,?!]?)[^\S\n]*+\n\s*+(?=[¿¡]?\p{L}{2})")
_CODE_SIGNS = regex.compile(r"""[=(){}\[\]<>#|_;\\"'`]""")
_LITERAL = regex.compile(r'("[^"]*"|`[^`]*`)')  # where every space may count

_OPERAND = r"\p{L}\p{N}"
_RIGHT = rf"[{_OPERAND}(\[{{√]"
# No `!=`, which is also a factorial and `=`; no sign after `<`, for `<-` assigns.
_RELATION = regex.compile(
    rf"(?<=[{_OPERAND})\]}}])(?:\s(?<op>==|<=|>=|->|=>|[<>→⇌])\s(?={_RIGHT})"
    rf"|\s?(?<op>[=≠≈≤≥])\s?(?=[-+]?{_RIGHT}))"
)
# Between spaces only, for `5 -3` may be two numbers; no hyphen between words, no decimal `·`.
_ARITHMETIC = regex.compile(
    rf"(?<=[{_OPERAND})\]}}]) (?:(?<!\p{{L}}{{2}} )(?<op>[-±])(?= {_RIGHT})(?! \p{{L}}{{2}})"
    rf"|(?<op>\+)(?= {_RIGHT})|(?<op>\*\*|[*/×÷^]|(?<!\d )·|·(?! \d))(?= [-+]?{_RIGHT})) "
)
_TERM = regex.compile(r"[^\s=≠≈≤≥<>→⇌]*")
_TERM_BEFORE = regex.compile(_TERM.pattern, regex.REVERSE)
_GROUPED = regex.compile(r"\([^()]*\)")
_LOOSER = {  # by operator: what, tight in a neighbour, would make the spaces mean a bracket
    **dict.fromkeys("+-±", regex.compile(rf"[{_OPERAND})\]][-+±]")),
    **dict.fromkeys(("*", "/", "×", "÷", "·", "^", "**"), regex.compile(rf"[{_OPERAND})\]][-+±*/×÷·:^]")),
}
# Before these a space may say how far a function reaches: `raíz de 9 + 16` and `raíz de 9+16`.
_REACHING = regex.compile(
    r"[√%]|\b(?:sen|sin|cos|tan|tg|cot|sec|csc|log|ln|lg|exp|sqrt|lim|sen[oh]|coseno|tangente|ra[ií]z|root|half"
    r"|twice|double|mitad|doble|triple|cuadrado|cubo|square|cube|metade|dobro|quadrado|logaritmo|logarithm)\b"
    r"|\b(?!(?:derivada|derivative|integral|límite|limit|gráfica|gráfico|graph|función|function|função|ecuación"
    r"|equation|equação|solución|solution|solução|resultado|result|valor|value|dominio|domain)\b)\p{L}+"
    r" (?:de|of|do|da) (?=[-+(\[\p{N}]|\p{L}(?!\p{L}))",
    regex.IGNORECASE,
)


def _spaced(text: str) -> str:
    prose: str = _PROSE_BREAK.sub(" ", text)
    if "\n" in prose or (prose != text and _CODE_SIGNS.search(text)):
        # The lines and indents of code, tables and sums mean something.
        return "\n".join(line.rstrip() for line in text.split("\n"))
    parts = [
        part if index % 2 else regex.sub(r"\s+", " ", part)
        for index, part in enumerate(_LITERAL.split(prose))
    ]
    return "".join(parts) if len(parts) > 1 else _tight(parts[0])


def _tight(text: str) -> str:
    """Drop the spaces round operators unless they could stand for brackets: `a+b / c+d`."""
    spaced: str = _RELATION.sub(lambda sign: sign["op"], text)
    if _REACHING.search(spaced) or any(_may_group(spaced, sign) for sign in _ARITHMETIC.finditer(spaced)):
        return spaced
    tight: str = _ARITHMETIC.sub(lambda sign: sign["op"], spaced)
    return tight


def _may_group(text: str, sign: "regex.Match[str]") -> bool:
    sides = _TERM_BEFORE.match(text, 0, sign.start())[0], _TERM.match(text, sign.end())[0]
    return any(_LOOSER[sign["op"]].search(_GROUPED.sub("", side)) for side in sides)


# --- Edges and the first word -------------------------------------------------------------------------------

_EDGES = regex.compile(
    r"^[¿\s]+"
    r"|(?<=[\p{L}\p{M}\p{N})\]}\"'`|$!%°…»”’.]|\+\+|\b[CF]#)\?+$"
    r"|(?<=\p{L}{2}) \?$"
    r"|(?<=\p{L}\p{M}*)\.$"
)
_EXCLAMATION = regex.compile(r"^¡+\s*(.*\p{L}{2})!+$", regex.DOTALL)
_FIRST_WORD = regex.compile(r"\p{L}{3,}(?=$|[\s,:;?!…]|\.(?:\s|$)|'\p{Ll})(?!\s*[=*^<>]|\s[-+/]\s)")
_PLAIN_VOWELS = str.maketrans("áéíóúê", "aeioue")
_QUESTION_WORDS = frozenset(
    (
        "qué cuál cuáles cómo cuándo cuánto cuánta cuántos cuántas dónde adónde quién quiénes "
        "what why how when where who whom whose which "
        "quê qual quais quando quanto quanta quantos quantas onde aonde quem"
    )
    .translate(_PLAIN_VOWELS)
    .split()
)


def _without_edges(text: str) -> str:
    while (bare := _EXCLAMATION.sub(r"\1", _EDGES.sub("", text).strip())) != text:
        text = bare
    return text


def _without_capital(text: str) -> str:
    found = _FIRST_WORD.match(text)
    if not found:
        return text
    word: str = found[0]
    plain = word.lower().translate(_PLAIN_VOWELS)
    if plain in _QUESTION_WORDS and word != "WHO" and (word.isupper() or word[1:].islower()):
        return plain + text[len(word) :]
    capital = word[0].lower()
    if word[0].isupper() and word[1:].islower() and len(capital) == 1:
        return capital + text[1:]
    return text


# --- Language -----------------------------------------------------------------------------------------------

# Words that one of these languages has and the others lack; no variable, no chemical symbol. Under "" stand
# those of the neighbours that would otherwise be taken for one of the three.
_FUNCTION_WORDS = {
    word: language
    for language, words in {
        "es": "qué cuál cuáles cómo cuándo cuánto cuánta cuántos cuántas dónde quién quiénes "
        "el la los las una unos unas del es en con lo hay más según",
        "en": "what why how when where who whom whose which the is are was were does did of and an to with "
        "from between this that these explain solve",
        "pt": "quê qual quais quando quem onde quanto quanta quantos quantas um uma uns umas não é são em "
        "ao aos à às pelo pela você",
        "": "le du est et dans quelle quelles quels pourquoi il che della perché gli cosa der ist und ein "
        "els amb",
    }.items()
    for word in words.split()
}


def detect_language(text: str) -> str | None:
    """Return `es`, `en` or `pt` if the text's function words name it and no other, else None."""
    words = regex.findall(r"\p{L}+", unicode_form("NFC", text).lower())
    languages = {_FUNCTION_WORDS[word] for word in words if word in _FUNCTION_WORDS}
    languages |= {"es"} if regex.search("[¿¡]", text) else set()
    return languages.pop() or None if len(languages) == 1 else None
