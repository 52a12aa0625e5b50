"""Whatever student, network and draft do, the student's text is the explanation's up to the playhead.

Holds I1 to I5, I7 and I9 in the contract's terms: no `seq`, positions in code points.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from answers.errors import AiUnavailable
from streaming.errors import InvalidPosition, NoActiveSession
from streaming.messages import error_message
from streaming.playback import Pace, Playback
from streaming.protocol import (
    ContentChunk,
    Error,
    Event,
    ExplanationComplete,
    ExplanationSeeked,
    ExplanationStart,
    ExplanationStopped,
    PauseReason,
    Place,
    State,
    StreamingPaused,
    StreamingResumed,
)
from tests.answers.test_text import PIECES
from tests.streaming.model_client import DRAW, HEADING, ModelClient, Story, run

WORDS = st.sampled_from(["la ", "suma ", "de dos ", "números. ", "vale $x^2 + 1$ ", "$$y$$\n", "cuesta $5 "])
PARTS = st.lists(st.one_of(WORDS, WORDS, PIECES, st.just(DRAW)), max_size=16)
STORIES = st.lists(PARTS, min_size=1, max_size=4)
SPEEDS = st.sampled_from([0.005, 0.3, 1.0, 1.5, 8.0])
PLACES = st.builds(Place, st.integers(1, 4), st.one_of(st.integers(0, 60), st.integers(0, 400)))
SECONDS = st.sampled_from([0.0, 0.01, 0.05, 0.07, 0.3, 5.0])


class PlaybackMachine(RuleBasedStateMachine):
    """One session, the client that plays it, and a client that may take over."""

    @initialize(steps=STORIES, parts=st.sampled_from([0, 3, 12, 1000]), size=st.integers(1, 9), speed=SPEEDS)
    def ask(self, steps: list[list[str | None]], parts: int, size: int, speed: float) -> None:
        self.now = 100.0
        self.story = Story(steps)
        self.recording = self.story.recording
        self.story.tell(parts)
        self.pace = Pace(size, 0.05)
        self.playback = Playback(self.recording, HEADING, self.pace, speed=speed)
        self.client = ModelClient(self.story)
        self.seen = [self.client]  # the client after each event of this connection
        self.starts = 0

    # --- Time and the draft ------------------------------------------------------------------------

    @rule(times=st.integers(1, 12))
    def play(self, times: int) -> None:
        """A loop that is never late."""
        for _ in range(times):
            due = self.playback.next_due()
            if due is None:
                break
            self.now = max(self.now, due)
            self.hear(self.playback.pump(self.now))

    @rule(seconds=SECONDS)
    def be_late(self, seconds: float) -> None:
        """A loop that looks once, after a while."""
        self.now += seconds
        events = self.playback.pump(self.now)
        assert sum(isinstance(event, ContentChunk) for event in events) <= 1
        self.hear(events)

    @rule(parts=st.integers(1, 12))
    def grow(self, parts: int) -> None:
        if not self.recording.failure:
            self.story.tell(parts)

    @rule(often=st.integers(0, 9))
    def fail(self, often: int) -> None:
        if often == 0 and not self.recording.complete:
            self.recording.failure = AiUnavailable(retry_after=3.0)

    # --- Commands ----------------------------------------------------------------------------------

    @rule(back=st.none() | st.integers(0, 60), reason=st.sampled_from(PauseReason))
    def pause(self, back: int | None, reason: PauseReason) -> None:
        """At what the client has shown, a little behind what it holds, or without saying where."""
        state, place = self.playback.state, self.playback.place
        if state.finished:
            with pytest.raises(NoActiveSession):
                self.playback.pause(self.now, place, reason)
            return
        ignored = back is None or reason is not PauseReason.USER or state is State.PAUSED
        shown = None if ignored else self.behind(back or 0)
        events = self.playback.pause(self.now, shown, reason)
        if state is State.PAUSED:
            assert self.playback.place == place
            assert len(events) == (reason is PauseReason.MOVED)
        else:
            assert [type(event) for event in events] == [StreamingPaused]
            assert self.playback.place == (self.playback.believed(shown) if shown else place)
        assert self.playback.state is State.PAUSED
        self.hear(events)

    @rule(back=st.none() | st.integers(0, 60), speed=st.none() | SPEEDS)
    def resume(self, back: int | None, speed: float | None) -> None:
        """The same client, perhaps from a little behind what it holds."""
        held = None if back is None else self.behind(back)
        if held is None and self.playback.state in (State.PLAYING, State.WAITING):
            assert self.playback.resume(self.now, speed=speed) == []
        else:
            self.resumes(held, speed, elsewhere=False)

    @rule(to=PLACES)
    def seek(self, to: Place) -> None:
        paused = self.playback.state is State.PAUSED
        if not self.is_written(to):
            self.refused(lambda: self.playback.resume(self.now, to, 2.0))
            if self.playback.state in (State.PLAYING, State.WAITING):
                self.refused(lambda: self.playback.pause(self.now, to))
        if not self.has_text or not self.is_written(to):
            return self.refused(lambda: self.playback.seek(self.now, to))
        target = self.playback.believed(to)
        events = self.playback.seek(self.now, to)
        assert ExplanationSeeked(target.step, target.position) in events
        assert self.playback.place == target
        assert self.playback.state in ((State.PAUSED,) if paused else (State.PLAYING, State.COMPLETE))
        return self.hear(events)

    @rule(speed=SPEEDS)
    def set_speed(self, speed: float) -> None:
        self.playback.set_speed(self.now, speed)

    @rule()
    def stop(self) -> None:
        finished = self.playback.state.finished
        events = self.playback.stop(self.now)
        place = self.playback.place
        assert events == ([] if finished else [ExplanationStopped(place.step, place.position)])
        self.hear(events)

    # --- The network -------------------------------------------------------------------------------

    @rule(
        lost=st.integers(0, 8),
        grown=st.integers(0, 9),
        who=st.sampled_from(["same", "snapshot", "reload", "empty"]),
    )
    def reconnect(self, lost: int, grown: int, who: str) -> None:
        """The connection ends, its last events never arrive, and a client comes back to the record.

        The same client, one with the snapshot that says so or not, or one that holds nothing.
        """
        old = self.playback
        if not old.state.finished:
            old.pause(self.now)
        self.grow(grown)
        self.playback = Playback(
            self.recording,
            HEADING,
            self.pace,
            state=old.state,
            place=old.place,
            speed=old.speed,
            begun=old.begun,
            played=old.played(self.now),
        )
        assert old.place.position == 0 or self.playback.shown() == old.shown()
        at: Place | None = Place()
        if who == "same":
            self.client = self.seen[max(0, len(self.seen) - 1 - lost)]
            at = self.client.place
        elif who == "empty" or not old.begun:
            self.client = ModelClient(self.story)
        else:
            self.client = ModelClient(self.story, self.playback.shown())
            at = old.place if who == "snapshot" else None
        self.seen = [self.client]
        self.resumes(at, None, elsewhere=True)

    # --- What must hold ----------------------------------------------------------------------------

    @invariant()
    def the_client_holds_the_explanation_up_to_the_playhead(self) -> None:
        place, client = self.playback.place, self.client
        assert set(client.contents) <= set(range(1, place.step + 1))
        for step in range(1, place.step + 1):
            text = self.story.texts[step - 1]
            text = text[: place.position] if step == place.step else text
            assert client.contents.get(step, "") == text

    @invariant()
    def a_snapshot_is_what_the_client_holds(self) -> None:
        """State built by events equals state that is asked for."""
        client, place = self.client, self.playback.place
        shown = [(step["content"], step["canvas_commands"]) for step in self.playback.shown()]
        held = [(client.contents[step], client.boards[step]) for step in sorted(client.contents)]
        sure = place.step if place.position else place.step - 1  # at 0 the step may still have to be opened
        assert held[:sure] == shown[:sure]

    @invariant()
    def nothing_is_due_for_whom_stands(self) -> None:
        state = self.playback.state
        if state.finished:
            assert self.playback.next_due() is None
            assert self.playback.pump(self.now) == []
        elif state is State.PAUSED and self.playback.begun:
            assert self.playback.next_due() is None or not self.has_text
            assert self.playback.pump(self.now) == [] or not self.has_text

    def teardown(self) -> None:
        """At the end everybody has heard everything, or a coded error after all that there was."""
        if not hasattr(self, "playback"):
            return
        if not self.recording.failure:
            self.story.whole()
        self.hear(self.playback.resume(self.now))
        heard = [event for _, event in run(self.playback, self.now, 1e9)]
        self.hear(heard)
        if self.recording.failure:
            place = self.playback.place
            message = error_message("ai_unavailable", "en")
            stopped = ExplanationStopped(place.step, place.position)
            assert heard[-2:] == [Error("ai_unavailable", message, 3.0), stopped]
            open_step = self.recording.open_step
            if open_step and self.has_text:
                assert place == Place(len(self.recording.steps), open_step.playable)
        else:
            assert self.client.complete
            assert list(self.client.contents.values()) == self.story.texts
            boards = [step["canvas_commands"] for step in self.playback.shown()]
            assert list(self.client.boards.values()) == boards
            assert [len(board) for board in boards] == [parts.count(DRAW) for parts in self.story.steps]
            assert self.starts == 1

    # --- Help --------------------------------------------------------------------------------------

    @property
    def has_text(self) -> bool:
        steps = self.recording.steps
        return bool(steps) and (steps[0].closed or steps[0].playable > 0)

    def hear(self, events: list[Event]) -> None:
        for event in events:
            self.starts += isinstance(event, ExplanationStart)
            self.client = self.client.copy()
            self.client.apply(event)
            self.seen.append(self.client)
        assert self.starts <= 1, "explanation_start comes once in a session"

    def behind(self, back: int) -> Place:
        """Where the client says that it stands; it lets go of what lies behind."""
        held = self.client.place
        place = Place(held.step, max(0, held.position - back))
        if place.step > 1 and back > 50:
            place = Place(place.step - 1, back - 50)
            place = Place(place.step, min(place.position, len(self.client.contents[place.step])))
        self.client = self.client.copy()
        self.client.cut(place)
        return place

    def is_written(self, at: Place) -> bool:
        steps = self.recording.steps
        if not self.has_text:
            return at == Place()
        return at.step <= len(steps) and at.position <= len(steps[at.step - 1].content)

    def refused(self, command: Any) -> None:
        """An invalid position changes nothing."""
        playback = self.playback
        before = (playback.state, playback.place, playback.speed, playback.begun, playback.shown())
        with pytest.raises(InvalidPosition):
            command()
        assert before == (playback.state, playback.place, playback.speed, playback.begun, playback.shown())

    def resumes(self, at: Place | None, speed: float | None, *, elsewhere: bool) -> None:
        playback, place, finished = self.playback, self.playback.place, self.playback.state.finished
        start = playback.believed(at) if at else place
        events = playback.resume(self.now, at, speed, elsewhere=elsewhere)
        assert events.count(StreamingResumed(start.step, start.position)) == 1
        assert playback.place == (start if finished else max(start, place)), "what lies between comes at once"
        assert playback.state in (State.PLAYING, State.WAITING, State.COMPLETE)
        assert (playback.state is State.COMPLETE) == isinstance(events[-1], ExplanationComplete)
        self.hear(events)


TestPlayback = PlaybackMachine.TestCase
TestPlayback.settings = settings(
    max_examples=400,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
