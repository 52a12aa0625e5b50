"""A client as the contract describes one, which notices whatever that forbids, and recordings for it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from answers.recording import Recording
from streaming.playback import Heading, Pace, Playback
from streaming.protocol import (
    CanvasCommand,
    ContentChunk,
    Error,
    Event,
    ExplanationComplete,
    ExplanationSeeked,
    ExplanationStart,
    ExplanationStopped,
    Place,
    StepComplete,
    StepStart,
    StreamingPaused,
    StreamingResumed,
    WaitingPhrase,
)
from tests.answers.test_text import slow_cuts

cuts_of = lru_cache(slow_cuts)
HEADING = Heading("session", "hash", cached=True, language="en")
DRAW = None  # a command, among the parts of a step

Parts = Sequence[str | None]


class Story:
    """Steps told part by part into a recording; `None` among the parts is a canvas command."""

    def __init__(self, steps: Sequence[Parts]) -> None:
        self.steps = [list(parts) for parts in steps]
        self.texts = ["".join(part for part in parts if part) for parts in steps]
        self.recording = Recording("en")
        self.recording.plan(len(steps), 1.0)
        self._telling = self._tell()

    def tell(self, parts: int) -> None:
        """Let the recording grow by so many parts; the beginning and the end of a step count as one."""
        for _ in range(parts):
            next(self._telling, None)

    def whole(self) -> Recording:
        """Tell all that is left."""
        for _ in self._telling:
            pass
        return self.recording

    def _tell(self) -> Iterable[None]:
        recording = self.recording
        for number, parts in enumerate(self.steps, 1):
            recording.begin_step(f"Step {number}", "text")
            yield
            for count, part in enumerate(parts):
                if part is None:
                    recording.draw({"op": "text", "id": f"t{count}", "x": 1, "y": number, "text": str(count)})
                else:
                    recording.say(part)
                yield
            recording.end_step()
            yield
        recording.answer_id = "answer"
        recording.finish()
        yield


def playback_of(*steps: Parts, size: int = 5, delay: float = 0.05, **standing: Any) -> Playback:
    """Return the playback of a finished recording."""
    return Playback(Story(steps).whole(), HEADING, Pace(size, delay), **standing)


def run(playback: Playback, now: float, until: float) -> list[tuple[float, Event]]:
    """Return what a loop that is never late sends, with the time of each event."""
    sent: list[tuple[float, Event]] = []
    for _ in range(100_000):
        due = playback.next_due()
        if due is None or due > until:
            return sent
        now = max(now, due)
        sent += [(now, event) for event in playback.pump(now)]
    raise AssertionError("the playback is always due and never done")


def names(events: Iterable[Event]) -> str:
    """Return the events' names in a row, without what the contract puts before and behind them."""
    parts = ("explanation_", "streaming_", "content_", "canvas_")
    bare = [event.name for event in events]
    for part in parts:
        bare = [name.removeprefix(part) for name in bare]
    return " ".join(bare)


class ModelClient:
    """What one client holds: it applies each event as the contract says."""

    def __init__(self, story: Story, shown: Sequence[dict[str, Any]] = ()) -> None:
        self.story = story
        self.contents = {number: step["content"] for number, step in enumerate(shown, 1)}
        self.boards = {number: step["canvas_commands"] for number, step in enumerate(shown, 1)}
        self.ended = set(range(1, len(shown)))  # the steps of which `step_complete` has come
        self.step = len(shown)  # the one being told
        self.paused: Place | None = None
        self.over = False  # whether nothing may come before the next command
        self.complete = False

    @property
    def place(self) -> Place:
        return Place(self.step, len(self.contents[self.step])) if self.step else Place()

    def copy(self) -> "ModelClient":
        twin = ModelClient(self.story)
        twin.__dict__.update(self.__dict__)
        twin.contents, twin.ended = dict(self.contents), set(self.ended)
        twin.boards = {step: list(board) for step, board in self.boards.items()}
        return twin

    def cut(self, at: Place) -> None:
        """Hold nothing behind a place: neither text nor drawings."""
        uncut = at.position == len(self.contents.get(at.step, ""))  # at its end, a step stays ended
        self.ended = {step for step in self.ended if step < at.step + uncut}
        for step in range(at.step + 1, self.step + 1):
            del self.contents[step], self.boards[step]
        self.step = min(self.step, at.step)
        if self.step == at.step:
            self.contents[at.step] = self.contents[at.step][: at.position]
            self.boards[at.step] = [drawn for drawn in self.boards[at.step] if drawn["at"] <= at.position]

    def apply(self, event: Event) -> None:
        recording = self.story.recording
        assert not self.over or isinstance(event, StreamingResumed | ExplanationSeeked | ExplanationStart), (
            f"{event.name} after the end"
        )
        match event:
            case StepStart(step, title, kind):
                told = recording.steps[step - 1]
                assert (title, kind) == (told.title, told.type)
                assert step == 1 or step - 1 in self.ended, "a step begins before the one before it has ended"
                assert step >= self.step, "a step begins again without a resume or a seek"
                self.step = step
                self.ended.discard(step)
                self.contents.setdefault(step, "")
                self.boards.setdefault(step, [])
            case ContentChunk(step, chunk, position, is_final):
                assert step == self.step and step not in self.ended, "text outside of its step"
                assert position <= len(self.contents[step]), "a hole"
                assert position == len(self.contents[step]), "text that the client holds already"
                self._assert_drawn()
                text, end = self.story.texts[step - 1], position + len(chunk)
                assert self.paused is None or Place(step, end) <= self.paused, "text behind the pause"
                assert chunk or not text, "an empty chunk"
                assert chunk == text[position:end]
                assert end in cuts_of(text), "a chunk ends inside a cluster or a formula"
                assert is_final == (recording.steps[step - 1].closed and end == len(text))
                self.contents[step] = self.contents[step][:position] + chunk
            case CanvasCommand(step, command, n, at):
                assert step == self.step
                assert at == command["at"] <= len(self.contents[step]), "a drawing before its text"
                board = self.boards[step]
                assert n <= len(board), "a drawing is missing"
                if n < len(board):
                    assert board[n] == command
                else:
                    board.append(command)
            case StepComplete(step):
                self._assert_drawn()
                assert step == self.step and self.contents[step] == self.story.texts[step - 1]
                self.ended.add(step)
            case ExplanationComplete(_, steps):
                assert steps == len(recording.steps) and self.ended == set(range(1, steps + 1))
                self.over = self.complete = True
            case StreamingPaused(step, position):
                self.paused = Place(step, position)
                self.cut(self.paused)
            case StreamingResumed(step, position) | ExplanationSeeked(step, position):
                self.over = self.complete = False
                stays = self.paused and isinstance(event, ExplanationSeeked)
                self.paused = Place(step, position) if stays else None
                self.cut(Place(step, position))
            case ExplanationStopped():
                self.over, self.paused = True, None
            case ExplanationStart() | WaitingPhrase() | Error():
                pass
            case _:
                raise AssertionError(event)

    def _assert_drawn(self) -> None:
        """Commands come right after the chunk that reaches them, and so before anything else of the step."""
        held = len(self.contents[self.step])
        commands = self.story.recording.steps[self.step - 1].commands
        assert len(self.boards[self.step]) == sum(command["at"] <= held for command in commands)
