"""The terminal: text that grows at its end, above one line that says where it stands; and keys.

Nothing that was written is written again. The progress line stands below the line that grows; a frame erases
from the end of the text downward and is written as one piece, so that nothing flickers.
"""

import re
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from streaming.terminal.reader import Drawn, Piece, Reader, Rewound, Shown, Title, reading_speed
from streaming.terminal.typesetting import Lines
from streaming.terminal.views import View

MAX_WIDTH = 80  # cells; longer lines are hard to read
HINTS = ("space pause · ← sentence back · → next step · + − speed · q quit", "space pause · ← → · + − · q")
KEYS = {
    **{" ": "pause", "+": "faster", "=": "faster", "-": "slower", "_": "slower", "−": "slower"},
    **{"\x1b[D": "back", "\x1bOD": "back", "\x1b[C": "next", "\x1bOC": "next"},
    **{"q": "quit", "Q": "quit", "\x04": "quit"},
}
_KEY = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)


class TerminalView(View):
    """Text that grows on a terminal."""

    patient = True

    def __init__(self, console: Console) -> None:
        self._console, self._file = console, console.file
        self._columns = console.width
        self._lines = Lines(min(MAX_WIDTH, self._columns - 1))
        self._progress = ""  # as it stands below the text

    def draw(self, reader: Reader, now: float, note: str) -> None:
        resized = self._follow_width()
        text = resized + "".join(map(self._rendered, reader.advance(now)))
        progress = self._styled(progress_line(reader, note, self._columns - 1))
        if "\n" in text or progress != self._progress:
            erase = "\x1b[J" if "\n" in text else ""
            column = f"\x1b[{self._lines.column}C" if self._lines.column else ""
            text = f"{erase}{text}\r\n{progress}\x1b[K\r\x1b[A{column}"
            self._progress = progress
        if text:
            self._file.write(text)
            self._file.flush()

    def last(self, words: str) -> None:
        """Take the progress line away and leave a last one."""
        farewell = self._lines.gap() + self._styled(Text(words, "dim")) if words else ""
        self._file.write(f"\x1b[J{farewell}\n")
        self._file.flush()

    def _follow_width(self) -> str:
        """Go on in the terminal's width of now; what stands is the terminal's to arrange."""
        if self._columns == self._console.width:
            return ""
        self._columns, self._progress = self._console.width, ""
        self._lines.width = min(MAX_WIDTH, self._columns - 1)
        return "\x1b[J" + (self._lines.end_line() if self._lines.column > self._lines.width else "")

    def _rendered(self, shown: Shown) -> str:
        lines = self._lines
        match shown:
            case Title(step, text):
                return (
                    lines.gap() + self._styled(Text(lines.feed(f"{step}. {text}"), "bold cyan")) + lines.gap()
                )
            case Drawn(words):
                begun = lines.end_line()
                return begun + self._styled(Text(lines.feed(f"▸ {words}"), "dim")) + lines.end_line()
            case Rewound(step):
                rule = f"── ↩ step {step} ".ljust(min(30, lines.width), "─")
                return self._apart(rule, "dim")
            case Piece(unit, rest):
                text = lines.feed(unit.text, rest)
                return self._styled(Text(text, "bold")) if unit.bold else text

    def _apart(self, words: str, style: str) -> str:
        before = self._lines.gap()
        return before + self._styled(Text(self._lines.feed(words), style)) + self._lines.gap()

    def _styled(self, text: Text) -> str:
        with self._console.capture() as capture:
            self._console.print(text, end="", soft_wrap=True, highlight=False)
        return capture.get()


def progress_line(reader: Reader, note: str, width: int) -> Text:
    """Return where it stands in at most `width` cells; the hints give way first, then what is at the end."""
    part, seconds = reader.progress()
    words = [("paused", "bold yellow")] if reader.paused else []
    words += [(note, "yellow")] if note else []
    line = Text()
    if reader.total_steps:
        bar = 12 if width > 60 else 6
        filled = round(part * bar)
        line.append(f"{reader.shown.step}/{reader.total_steps} ")
        line.append("━" * filled, "cyan").append("─" * (bar - filled), "dim")
        line.append(f" {part:4.0%}")
        words += [(f"{int(seconds) // 60}:{int(seconds) % 60:02d} left", "")]
        words += [(f"{reader.speed / reading_speed(reader.pace):.3g}×", "")]
    for text, style in words:
        line.append("  " if line else "").append(text, style)
    hints = (
        []
        if note
        else [f"  {hint}".replace("pause", "go on" if reader.paused else "pause") for hint in HINTS]
    )
    line.append(next((hint for hint in hints if line.cell_len + cell_len(hint) <= width), ""), "dim")
    line.truncate(width, overflow="ellipsis")
    return line


def keys(typed: str) -> list[str]:
    """Return what the keys mean: pause, back, next, faster, slower or quit; others mean nothing."""
    return [KEYS[key] for key in _KEY.findall(typed) if key in KEYS]


@contextmanager
def keyboard(out: TextIO) -> Iterator[int]:
    """Let single keys through, unseen; afterwards the terminal is as it was, however this ends."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)
        out.write("\x1b[?25l")  # the cursor would jump between the text and the progress line
        out.flush()
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
        out.write("\x1b[?25h")
        out.flush()
