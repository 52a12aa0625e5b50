"""Where an explanation's text may be cut: never inside a grapheme cluster, never inside a formula.

A formula is `$…$` or `$$…$$`: unescaped, no space just inside, no digit after the closing `$`, one
paragraph, at most 300 code points in all. The first unescaped delimiter after the opening one decides; any
other `$` is text. Positions are code points.

A sentence ends with its line, and after `.`, `!`, `?` or `…` with the quotes and brackets that close there
if white space follows; not inside a formula, not if a small letter comes next, and not after the point of an
initial, an abbreviation or a number that begins a line.
"""

import re
from bisect import bisect_left

import regex

MAX_CLUSTER = 64
MAX_FORMULA = 300

# Below U+0300 only CR LF clusters, so plain runs are passed in one step; their last character may begin a
# cluster with what follows, therefore the look-ahead. Group 1 is a cluster.
_PIECES = regex.compile(r"[\x00-\x0c\x0e-\u02ff]+(?=[\x00-\u02ff])|(\X)")
_TO_DOLLAR = re.compile(r"(?:[^\\$]|\\.)*", re.DOTALL)
_TO_DOUBLE_DOLLAR = re.compile(r"(?:[^\\$]|\\.|\$(?!\$))*", re.DOTALL)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


class _Blocks:
    """Stretches in rising order, without overlap, that may be cut at their two ends only."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        if end - start > 1:
            self._starts.append(start)
            self._ends.append(end)

    def floor(self, position: int) -> int:
        index = bisect_left(self._starts, position) - 1
        return self._starts[index] if index >= 0 and self._ends[index] > position else position

    def ceil(self, position: int) -> int:
        index = bisect_left(self._starts, position) - 1
        return self._ends[index] if index >= 0 and self._ends[index] > position else position


class Cuts:
    """Where the growing content of one step may be cut.

    One instance per step: it remembers what it has scanned and reads only what is new. Content may only grow,
    and closes once.
    """

    __slots__ = ("_certain", "_closed", "_cluster", "_clusters", "_formulas", "_held", "_seen", "_undecided")

    def __init__(self) -> None:
        self._clusters = _Blocks()
        self._formulas = _Blocks()
        self._cluster = 0  # where the last cluster begins, which more text may lengthen
        self._held = 0  # the same, after the pieces that an overlong cluster has given off
        self._undecided = 0  # where the `$` begins that more text may make a formula
        self._certain = 0
        self._seen = 0
        self._closed = False

    def certain(self, content: str, closed: bool) -> int:
        """Return the last position up to which cuts stay cuts whatever text follows: all of a closed step.

        Of an open step the last cluster is held back, and a `$` that is not yet a formula nor plain text.
        """
        if len(content) != self._seen or closed != self._closed:
            self._scan_clusters(content, closed)
            self._scan_formulas(content, closed)
            self._seen, self._closed = len(content), closed
            self._certain = len(content) if closed else self._floor(min(self._held, self._undecided))
        return self._certain

    def floor(self, content: str, closed: bool, position: int) -> int:
        """Return the last certain cut that is not behind `position`."""
        return self._floor(min(position, self.certain(content, closed)))

    def chunk_end(self, content: str, closed: bool, start: int, size: int, slack: int) -> int:
        """Return where the chunk of about `size` code points that begins at the cut `start` ends.

        The word end nearest to that size and at most `slack` away from it, else the nearest cut; `start` if
        nothing can be sent yet.
        """
        certain = self.certain(content, closed)
        if start >= certain:
            return start
        target = start + size
        for away in range(slack + 1):
            for end in (target - away, target + away):
                if start < end <= certain and _is_word_end(content, end) and self._floor(end) == end:
                    return end
        if target >= certain:
            return certain
        before, after = self._floor(target), self._ceil(target)
        return before if before > start and target - before <= after - target else after

    def _floor(self, position: int) -> int:
        while (before := self._formulas.floor(self._clusters.floor(position))) != position:
            position = before
        return position

    def _ceil(self, position: int) -> int:
        while (after := self._formulas.ceil(self._clusters.ceil(position))) != position:
            position = after
        return position

    def _scan_clusters(self, content: str, closed: bool) -> None:
        for piece in _PIECES.finditer(content, self._cluster):
            if piece[1] is None:
                continue
            if piece.start() != self._cluster:
                self._cluster = self._held = piece.start()
            end = piece.end()
            while end - self._held > MAX_CLUSTER:
                self._clusters.add(self._held, self._held + MAX_CLUSTER)
                self._held += MAX_CLUSTER
            if closed or end < len(content):
                self._clusters.add(self._held, end)
                self._cluster = self._held = end

    def _scan_formulas(self, content: str, closed: bool) -> None:
        start = self._undecided
        while (start := _TO_DOLLAR.match(content, start).end()) < len(content):  # type: ignore[union-attr]
            if content[start] == "\\":  # the last character: what it escapes is still to come
                break
            end = _formula_end(content, start, closed)
            if end is None:
                break
            self._formulas.add(start, end)
            start = end
        self._undecided = start


def _is_word_end(content: str, position: int) -> bool:
    """Whether a word ends at the certain cut `position`; only a closed step has one at its very end."""
    ends_here = position == len(content) or content[position].isspace()
    return ends_here and not content[position - 1].isspace()


def _formula_end(content: str, start: int, closed: bool) -> int | None:
    """Return the end of what the `$` at `start` begins, a formula or only itself; None while that is open."""
    text = start + 1
    mark, body = ("$$", _TO_DOUBLE_DOLLAR) if content.startswith("$$", start) else ("$", _TO_DOLLAR)
    inside, limit = start + len(mark), start + MAX_FORMULA
    close = body.match(content, inside, limit).end()  # type: ignore[union-attr]
    end = close + len(mark)
    if content[inside : inside + 1].isspace() or _BLANK_LINE.search(content, inside, close):
        return text
    if not content.startswith(mark, close) or end > limit:
        return text if closed or len(content) >= limit else None
    if close == inside or content[close - 1].isspace():
        return text
    if end < len(content):
        return text if content[end].isdecimal() else end
    return end if closed else None


# --- Sentences ---------------------------------------------------------------------------------------------

_SPACE = r"[\s\x1c-\x1f]"
_SENTENCE_END = regex.compile(rf"""\n|(?<![.!?…])[.!?…]+["'”’»›)\]}}*_`]*(?={_SPACE}|$)""")
_GOES_ON = regex.compile(rf"(?:(?!\n){_SPACE})+\p{{Ll}}")
_LAST_WORD = regex.compile(r"[\p{L}\p{N}.]*$")
_LONGEST_WORD = 12  # that could be an abbreviation
_INITIALS = regex.compile(r"\p{Lu}|(?:\p{L}\.)+\p{L}")
_LIST_NUMBER = regex.compile(rf"{_SPACE}*[0-9.]+")
_ABBREVIATIONS = (
    *("sr", "sra", "srta", "sres", "dr", "dra", "drs", "prof", "profa", "mr", "mrs", "ms", "st"),
    *("ud", "uds", "vd", "vds", "ee", "ej", "ex", "p", "pp", "pág", "págs", "cap", "vol", "fig", "figs"),
    *("eq", "ec", "núm", "vs", "cf", "aprox"),
)


def sentences(content: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text begin and end, without the white space around them."""
    found, begin = [], 0
    formulas = _formulas(content)
    ends = (mark for mark in _SENTENCE_END.finditer(content) if not _goes_on(content, mark, formulas))
    for end in (*(mark.end() for mark in ends), len(content)):
        sentence = content[begin:end]
        if stripped := sentence.strip():
            first = begin + len(sentence) - len(sentence.lstrip())
            found.append((first, first + len(stripped)))
        begin = end
    return found


def sentence_at(content: str, position: int) -> str:
    """Return the sentence that the character at a position is part of, or the one before the space there."""
    first = ""
    for start, end in reversed(sentences(content)):
        first = content[start:end]
        if start <= position:
            break
    return first


def _formulas(content: str) -> _Blocks:
    found, start = _Blocks(), 0
    while (start := _TO_DOLLAR.match(content, start).end()) < len(content):  # type: ignore[union-attr]
        end = _formula_end(content, start, closed=True) if content[start] == "$" else None
        if end is None:
            break
        found.add(start, end)
        start = end
    return found


def _goes_on(content: str, mark: "regex.Match[str]", formulas: _Blocks) -> bool:
    """Whether a sentence goes on after what could be its end."""
    if formulas.floor(mark.start()) != mark.start():  # inside of one
        return True
    if mark[0] == "\n":
        return False
    if _GOES_ON.match(content, mark.end()):
        return True
    if mark[0] != ".":
        return False
    line = content[content.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    word = _LAST_WORD.search(line[-_LONGEST_WORD:])[0]
    initials, number = _INITIALS.fullmatch(word), _LIST_NUMBER.fullmatch(line)
    return bool(initials or number) or word.lower() in _ABBREVIATIONS
