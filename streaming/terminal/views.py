"""What a student sees of an explanation: here as plain text or as JSON; `screen` has the terminal's view."""

import json
from typing import TextIO

from streaming.terminal.reader import Drawn, Piece, Reader, Rewound, Shown, Title


class View:
    """Hears every event as it came, draws what the reader shows, and has a last word."""

    patient = False  # whether somebody is at the keyboard who can go on after a pause

    def heard(self, event: str, payload: object) -> None:
        """Take in one event."""

    def draw(self, reader: Reader, now: float, note: str) -> None:
        """Show what has appeared."""
        reader.advance(float("inf"))

    def last(self, words: str) -> None:
        """End, with a last line if there are words for it."""


class JsonView(View):
    """What the server says, word for word, one event in JSON on each line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def heard(self, event: str, payload: object) -> None:
        self._out.write(json.dumps({"event": event, "data": payload}, ensure_ascii=False) + "\n")
        self._out.flush()


class PlainView(View):
    """Text for files and pipes: the explanation's own, code point for code point, at once."""

    def __init__(self, out: TextIO, notes: TextIO) -> None:
        self._out, self._notes = out, notes
        self._end = ""  # what was written last
        self._broken = False  # by a line that is not the text's

    def draw(self, reader: Reader, now: float, note: str) -> None:
        for shown in reader.advance(float("inf")):
            self._show(shown)
        self._out.flush()

    def last(self, words: str) -> None:
        self._line("")
        self._out.flush()
        self._notes.write(f"{words}\n" if words else "")

    def _show(self, shown: Shown) -> None:
        match shown:
            case Title(step, text):
                self._line("\n" if self._end else "")
                self._line(f"{step}. {text}\n\n")
            case Drawn(words):
                self._line(f"▸ {words}\n")
                self._broken = True
            case Rewound(step):
                self._line(f"↩ step {step}\n")
            case Piece(unit) if not (self._broken and unit.source.isspace()):
                # white space behind a drawing is what divided the text where its line stands now
                self._broken = False
                self._write(unit.source)

    def _line(self, text: str) -> None:
        self._write(text if self._end.endswith("\n") or not self._end else f"\n{text}")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._end = text or self._end
