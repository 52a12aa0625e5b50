"""What a student in the terminal holds, and how it appears: smoothly, at the session's pace.

Pure: what the server says and the time come in, what is to be shown comes out. Two places matter: text is
*held* up to where chunks came, and *shown* up to where it has appeared; a pause rests at what is shown.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from streaming.playback import UNWRITTEN_STEP, Pace
from streaming.protocol import MAX_SPEED, MIN_SPEED, Place, State
from streaming.terminal.typesetting import Unit, sentence_starts, units, word_rest

READING_RATE = 22.0  # code points per second: about 240 words a minute
BACK_SLACK = 12  # code points: closer to its beginning than this, back means the sentence before
MAX_BACKLOG = 2  # chunks that may wait to appear; with more, text appears faster
SETTLED = 0.05  # seconds after a chunk in which its board commands come, if it has any


class Title(NamedTuple):
    step: int
    text: str


class Piece(NamedTuple):
    unit: Unit
    rest: int  # the cells for which its last word goes on


class Drawn(NamedTuple):
    words: str  # what is on the board


class Rewound(NamedTuple):
    step: int  # where what follows begins again


Shown = Title | Piece | Drawn | Rewound


@dataclass(slots=True)
class HeldStep:
    title: str
    content: str = ""
    closed: bool = False
    opened: bool = False  # whether its title has been shown
    units: list[Unit] = field(default_factory=list)
    boards: dict[int, tuple[int, str]] = field(default_factory=dict)  # n → at, words
    drawn: set[int] = field(default_factory=set)

    def write(self, chunk: str, position: int) -> None:
        bold = self.units[-1].bold if self.units else False
        self.content += chunk
        self.units += units(self.content, position, bold=bold)

    def cut(self, position: int) -> None:
        if position < len(self.content):
            self.closed = False
            self.content = self.content[:position]
            del self.units[bisect_left(self.units, position, key=lambda unit: unit.start) :]
            self.boards = {n: board for n, board in self.boards.items() if board[0] <= position}
            self.drawn &= self.boards.keys()

    def appearing(self, step: int, position: int) -> list[Shown]:
        """Return what appears with a position before any text: the title, and what is drawn there."""
        shown: list[Shown] = [] if self.opened else [Title(step, self.title)]
        fresh = [n for n, (at, _) in self.boards.items() if at <= position and n not in self.drawn]
        self.opened = True
        self.drawn.update(fresh)
        return shown + [Drawn(self.boards[n][1]) for n in fresh if self.boards[n][1]]


class Reader:
    """One explanation as it is heard; `pace`: what the server calls speed 1, as far as we know."""

    def __init__(self, pace: Pace, speed: float) -> None:
        self.pace = pace
        self.speed = speed
        self.state = State.WAITING
        self.shown = Place()
        self.resting = False  # the student asked for a pause: nothing more appears, whatever still comes
        self.total_steps = 0
        self.complete = False  # the server has said everything
        self._steps: dict[int, HeldStep] = {}
        self._expected: float = 0  # code points in all, if the server knew them when it began
        self._at_once = Place()  # up to here text appears without pacing: it was skipped
        self._fresh: Place | None = None  # where the chunk begins whose board commands may still come,
        self._fresh_since: float | None = None  # and since when it could appear
        self._rewound: list[Shown] = []
        self._now: float | None = None
        self._due = 0.0  # code points that should have appeared by now, beyond `shown`

    # --- What the server says ----------------------------------------------------------------------

    def hear(self, event: str, payload: Mapping[str, Any]) -> None:
        """Take in one event; those that say nothing about text or place are ignored."""
        if event != "canvas_command":
            self._fresh = None
        match event:
            case "explanation_start":
                self.total_steps = payload["total_steps"]
                if self.state is State.WAITING:
                    self.state = State.PLAYING
                if payload["cached"]:
                    self._expected = payload["estimated_duration"] * self.pace.rate(self.speed)
            case "step_start":
                self._steps.setdefault(payload["step"], HeldStep(payload["title"]))
            case "content_chunk":
                self._write(**payload)
            case "canvas_command" if payload["step"] in self._steps:
                board = payload["at"], payload["command"].get("alt") or ""
                self._steps[payload["step"]].boards.setdefault(payload["n"], board)
            case "step_complete" if payload["step"] in self._steps:
                self._steps[payload["step"]].closed = True
            case "explanation_complete":
                self.state, self.complete = State.COMPLETE, True
                self.total_steps = payload["steps_completed"]
            case "streaming_paused" | "explanation_stopped":
                self._cut(Place(payload["step"], payload["position"]))
                self.state = State.STOPPED if event == "explanation_stopped" else State.PAUSED
            case "streaming_resumed" | "explanation_seeked":
                self._go_on(Place(payload["step"], payload["position"]), seeked=event == "explanation_seeked")

    def _write(self, step: int, chunk: str, position: int, is_final: bool) -> None:
        held = self._steps.get(step)
        if held is None or position > len(held.content):
            return  # said to another connection's place; a resume at ours follows
        if position < len(held.content):
            self._cut(Place(step, position))
            held = self._steps.setdefault(step, HeldStep(held.title))
        held.write(chunk, position)
        held.closed = is_final
        self._fresh, self._fresh_since = Place(step, position), None

    def _go_on(self, place: Place, *, seeked: bool) -> None:
        self._cut(place)
        self.complete = self.resting = False
        if seeked:
            self._at_once = max(self._at_once, place)
        if not seeked or self.state.finished:
            self.state = State.PLAYING if self.total_steps else State.WAITING

    def _cut(self, place: Place) -> None:
        kept = place.step if place.position else place.step - 1
        self._steps = {number: step for number, step in self._steps.items() if number <= kept}
        if place.step in self._steps:
            self._steps[place.step].cut(place.position)
        if place < self.shown:
            self.shown, self._due = place, 0.0
            self._rewound = [Rewound(place.step)]
        self._at_once = min(self._at_once, place)

    # --- What appears ------------------------------------------------------------------------------

    def advance(self, now: float) -> list[Shown]:
        """Return what has appeared since the last call; `inf` makes everything held appear."""
        elapsed, self._now = now - (now if self._now is None else self._now), now
        appeared, self._rewound = self._rewound, []
        if self.resting:
            self._due = 0.0
            return appeared
        self._due = now if now == float("inf") else self._due + elapsed * self._rate()
        if self._fresh_since is None:
            self._fresh_since = now
        elif now - self._fresh_since >= SETTLED:  # never true of `inf`
            self._fresh = None
        while (step := self._steps.get(self.shown.step)) is not None:
            appeared += step.appearing(self.shown.step, self.shown.position)
            first = bisect_left(step.units, self.shown.position, key=lambda unit: unit.start)
            for index, unit in enumerate(step.units[first:], first):
                if not self._takes(unit):
                    return appeared
                appeared.append(Piece(unit, word_rest(step.units, index)))
                self.shown = Place(self.shown.step, unit.end)
                appeared += step.appearing(self.shown.step, unit.end)
            if not step.closed or self.shown.step + 1 not in self._steps:
                break
            self.shown = Place(self.shown.step + 1)
        self._due = 0.0  # time without text is not made up for
        return appeared

    def _takes(self, unit: Unit) -> bool:
        here = Place(self.shown.step, unit.start)
        if here < self._at_once:
            return self.held >= self._at_once  # with all that was drawn meanwhile
        if (self._fresh and here >= self._fresh) or self._due < len(unit.source):
            return False
        self._due -= len(unit.source)
        return True

    def _rate(self) -> float:
        """Return how fast text appears: at the pace, or faster where more waits than the pace explains."""
        waiting = self._read(self.held) - self._read(self.shown)
        usual = MAX_BACKLOG * self.pace.chunk(self.speed)
        return self.pace.rate(self.speed) * max(1.0, waiting / usual)

    # --- Where it stands ---------------------------------------------------------------------------

    @property
    def held(self) -> Place:
        """The place behind the last character that came."""
        return max((Place(n, len(step.content)) for n, step in self._steps.items()), default=self.shown)

    @property
    def finished(self) -> bool:
        """Whether everything has been said and has appeared."""
        return self.complete and self.shown >= self.held

    @property
    def moving(self) -> bool:
        """Whether text waits to appear with the time."""
        return not self.resting and self.shown < self.held

    @property
    def paused(self) -> bool:
        return self.resting or self.state is State.PAUSED

    def progress(self) -> tuple[float, float]:
        """Return which part of the explanation is shown, 0 to 1, and the seconds that the rest takes."""
        if self.finished:
            return 1.0, 0.0
        read, total = self._read(self.shown), self._expected
        if not total or self.complete:
            total = UNWRITTEN_STEP * max(0, self.total_steps - len(self._steps))
            for step in self._steps.values():
                total += len(step.content) if step.closed else max(len(step.content), UNWRITTEN_STEP)
        rest = max(0.0, total - read)
        return min(read / total if total else 0.0, 0.99), rest / self.pace.rate(self.speed)

    def _read(self, place: Place) -> int:
        before = sum(len(step.content) for number, step in self._steps.items() if number < place.step)
        return before + place.position

    # --- Where the student may want to go ----------------------------------------------------------

    def sentence_back(self) -> Place:
        """Return where the present sentence begins, or the one before if it has only just begun."""
        number, position = self.shown.step, self.shown.position - BACK_SLACK
        if position <= 0 and number - 1 in self._steps:
            number, position = number - 1, len(self._steps[number - 1].content)
        starts = sentence_starts(self._steps[number].content if number in self._steps else "")
        return Place(number, starts[max(0, bisect_right(starts, position) - 1)])

    def next_step(self) -> Place | None:
        return Place(self.shown.step + 1) if self.shown.step < self.total_steps else None


def reading_speed(pace: Pace) -> float:
    """Return the speed at which the server says as much as a student reads."""
    return within_limits(READING_RATE / pace.rate(1))


def within_limits(speed: float) -> float:
    return min(max(speed, MIN_SPEED), MAX_SPEED)
