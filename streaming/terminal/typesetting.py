"""Text as a terminal shows it: the smallest pieces that appear at once, and lines of whole words."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import regex
from rich.cells import cell_len

from streaming.terminal.formulas import readable

_UNIT = regex.compile(
    r"(?P<mark>\$\$?)(?=[^\s$])(?P<tex>(?:[^\\$\n]|\\.|\n(?![^\S\n]*\n)){1,296})(?<!\s)(?P=mark)(?!\d)"
    r"|(?P<escaped>\\\$)|(?P<bold>\*\*)|\X",
    regex.DOTALL,
)
_RUN = re.compile(r"\n|[^\S\n]+|\S+")
_LIST_MARK = re.compile(r"[-•*]|\d+[.)]")
_SENTENCE = re.compile(r"(?:[.!?…][»”\"')\]*]*\s+|\n+)(?=\S)")


@dataclass(frozen=True, slots=True)
class Unit:
    """What appears at once: a grapheme cluster or a formula; `start` in code points of the content."""

    start: int
    source: str
    text: str
    bold: bool

    @property
    def end(self) -> int:
        return self.start + len(self.source)


def units(content: str, start: int = 0, *, bold: bool = False) -> Iterator[Unit]:
    """Divide content from the cut `start` on; `bold`: whether the text before left that on."""
    before = content[start - 1 : start]
    for match in _UNIT.finditer(content, start):
        source = text = match[0]
        if match["tex"]:
            text = readable(match["tex"])
        elif match["escaped"]:
            text = "$"
        elif match["bold"]:
            after = content[match.end() : match.end() + 1]
            opens = not bold and not before.isalnum() and not after.isspace()
            if opens or (bold and not before.isspace()):
                bold, text = not bold, ""
        elif "\n" in source:
            bold, text = False, "\n"
        elif not source.isprintable() and len(source) == 1:
            text = " "  # a control character would act on the terminal
        yield Unit(match.start(), source, text, bold)
        before = source[-1]


def sentence_starts(content: str) -> list[int]:
    """Return where sentences begin, the first at 0."""
    return [0, *(match.end() for match in _SENTENCE.finditer(content))]


def word_rest(pieces: list[Unit], index: int) -> int:
    """Return how many cells the word goes on for behind the piece at `index`."""
    cells = 0
    for piece in itertools.islice(pieces, index + 1, None):
        head = re.match(r"\S*", piece.text)[0]  # type: ignore[index]  # it always matches
        cells += cell_len(head)
        if head != piece.text:
            break
    return cells


class Lines:
    """Puts pieces into lines of at most `width` cells, each piece once and for ever."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.column = 0
        self._space = ""  # is written only if a word follows on the same line
        self._head: str | None = ""  # the line's first word, until the next begins
        self._hang = 0  # where the lines of a list's item begin
        self._empty = 2  # how many line ends stand behind the last word

    def feed(self, text: str, rest: int = 0) -> str:
        """Return what to write for a piece; `rest`: the cells of its last word that are still to come."""
        runs: list[str] = _RUN.findall(text)
        written = ""
        for left, run in zip(range(len(runs) - 1, -1, -1), runs, strict=True):
            if run == "\n":
                written += self.end_line(2)
            elif not run.isspace():
                written += self._word(run, 0 if left else rest)
            elif self.column:
                self._space = " "
        return written

    def end_line(self, at_most: int = 1) -> str:
        """Return a line end, or nothing if as many as `at_most` stand there already."""
        self.column, self._space, self._head, self._hang = 0, "", "", 0
        if self._empty >= at_most:
            return ""
        self._empty += 1
        return "\n"

    def gap(self) -> str:
        """Return what makes an empty line."""
        return self.end_line(2) + self.end_line(2)

    def _word(self, run: str, rest: int) -> str:
        if self._space and self._head is not None:
            self._hang = min(self.column + 1, self.width // 3) if _LIST_MARK.fullmatch(self._head) else 0
            self._head = None
        elif self._head is not None:
            self._head += run
        written, self._empty = self._space, 0
        if self._space and self.column + 1 + cell_len(run) + rest > self.width:
            written = self._wrap()
        self.column += len(self._space)
        self._space = ""
        for cluster in regex.findall(r"\X", run):
            cells = cell_len(cluster)
            if self.column > self._hang and self.column + cells > self.width:
                written += self._wrap()
            self.column += cells
            written += cluster
        return written

    def _wrap(self) -> str:
        self.column, self._space = self._hang, ""
        return "\n" + " " * self._hang
