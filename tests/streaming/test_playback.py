"""The playhead: the contract's state table row by row, what is sent at each place, and the pace."""

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import answers
from answers.errors import AiTimeout, AiUnavailable
from answers.recording import Recording
from answers.schema import Explanation
from streaming.errors import InvalidPosition, NoActiveSession
from streaming.playback import LARGE_CHUNK, UNWRITTEN_STEP, WAITING_PHRASE_SECONDS, Pace, Playback
from streaming.protocol import (
    CanvasCommand,
    ContentChunk,
    Error,
    Event,
    ExplanationComplete,
    ExplanationStart,
    ExplanationStopped,
    PauseReason,
    Place,
    State,
    StreamingPaused,
    StreamingResumed,
    WaitingPhrase,
)
from tests.streaming.model_client import DRAW, HEADING, ModelClient, Story, names, playback_of, run

SAMPLES = Path(answers.__file__).parent / "samples" / "answers.jsonl"
STEPS = (["one two three"], [DRAW, "four ", DRAW, "five six"])
TWO = Place(2, 13)  # the end of STEPS

Act = Callable[[Playback], list[Event]]


def pause(playback: Playback) -> list[Event]:
    return playback.pause(9.0)


def resume(playback: Playback) -> list[Event]:
    return playback.resume(9.0)


def stop(playback: Playback) -> list[Event]:
    return playback.stop(9.0)


def speed(playback: Playback) -> list[Event]:
    playback.set_speed(9.0, 4.0)
    assert playback.speed == 4.0
    return []


def resume_at(step: int, position: int) -> Act:
    return lambda playback: playback.resume(9.0, Place(step, position))


def pause_at(step: int, position: int) -> Act:
    return lambda playback: playback.pause(9.0, Place(step, position))


def seek(step: int, position: int) -> Act:
    return lambda playback: playback.seek(9.0, Place(step, position))


def standing(state: State) -> Playback:
    """Return a playback of STEPS at (2, 4), or in the state's own place."""
    if state is State.WAITING:
        return Playback(Recording("en"), HEADING, Pace(5, 0.05))
    playback = playback_of(*STEPS)
    assert names(playback.pump(0.0)) == "start step_start chunk"
    if state is State.COMPLETE:
        run(playback, 0.0, 8.0)
    else:
        playback.seek(1.0, Place(2, 4))
    if state is State.PAUSED:
        playback.pause(2.0)
    elif state is State.STOPPED:
        playback.stop(2.0)
    return playback


@pytest.mark.parametrize(
    ("state", "act", "said", "then", "place"),
    [
        (State.WAITING, pause, "paused", State.PAUSED, Place()),
        (State.WAITING, pause_at(1, 0), "paused", State.PAUSED, Place()),
        (State.WAITING, pause_at(1, 3), InvalidPosition, State.WAITING, Place()),
        (State.WAITING, resume, "", State.WAITING, Place()),
        (State.WAITING, resume_at(1, 0), "resumed", State.WAITING, Place()),
        (State.WAITING, resume_at(2, 0), InvalidPosition, State.WAITING, Place()),
        (State.WAITING, seek(1, 0), InvalidPosition, State.WAITING, Place()),
        (State.WAITING, speed, "", State.WAITING, Place()),
        (State.WAITING, stop, "stopped", State.STOPPED, Place()),
        (State.PLAYING, pause, "paused", State.PAUSED, Place(2, 4)),
        (State.PLAYING, pause_at(1, 2), "paused", State.PAUSED, Place(1, 2)),
        (State.PLAYING, pause_at(2, 14), InvalidPosition, State.PLAYING, Place(2, 4)),
        (State.PLAYING, resume, "", State.PLAYING, Place(2, 4)),
        (State.PLAYING, resume_at(2, 1), "resumed command chunk", State.PLAYING, Place(2, 4)),
        (State.PLAYING, resume_at(3, 0), InvalidPosition, State.PLAYING, Place(2, 4)),
        (State.PLAYING, seek(1, 4), "seeked", State.PLAYING, Place(1, 4)),
        (State.PLAYING, seek(2, 0), "seeked step_start command", State.PLAYING, Place(2, 0)),
        (State.PLAYING, seek(2, 9), "seeked chunk command", State.PLAYING, Place(2, 9)),
        (State.PLAYING, seek(2, 13), "seeked chunk command step_complete complete", State.COMPLETE, TWO),
        (State.PLAYING, seek(2, 14), InvalidPosition, State.PLAYING, Place(2, 4)),
        (State.PLAYING, speed, "", State.PLAYING, Place(2, 4)),
        (State.PLAYING, stop, "stopped", State.STOPPED, Place(2, 4)),
        (State.PAUSED, pause, "", State.PAUSED, Place(2, 4)),
        (State.PAUSED, pause_at(1, 2), "", State.PAUSED, Place(2, 4)),
        (State.PAUSED, resume, "resumed", State.PLAYING, Place(2, 4)),
        (State.PAUSED, resume_at(2, 4), "resumed command", State.PLAYING, Place(2, 4)),
        (State.PAUSED, resume_at(2, 0), "resumed step_start command chunk", State.PLAYING, Place(2, 4)),
        (
            State.PAUSED,
            resume_at(1, 2),
            "resumed chunk step_complete step_start command chunk",
            State.PLAYING,
            Place(2, 4),
        ),
        (
            State.PAUSED,
            resume_at(1, 13),
            "resumed step_complete step_start command chunk",
            State.PLAYING,
            Place(2, 4),
        ),
        (State.PAUSED, resume_at(2, 9), "resumed command command", State.PLAYING, Place(2, 9)),
        (State.PAUSED, seek(1, 4), "seeked", State.PAUSED, Place(1, 4)),
        (State.PAUSED, seek(2, 13), "seeked chunk command step_complete", State.PAUSED, TWO),
        (State.PAUSED, speed, "", State.PAUSED, Place(2, 4)),
        (State.PAUSED, stop, "stopped", State.STOPPED, Place(2, 4)),
        (State.COMPLETE, pause, NoActiveSession, State.COMPLETE, TWO),
        (State.COMPLETE, resume, "resumed step_complete complete", State.COMPLETE, TWO),
        (State.COMPLETE, resume_at(1, 0), "resumed step_start", State.PLAYING, Place()),
        (State.COMPLETE, resume_at(2, 1), "resumed command", State.PLAYING, Place(2, 1)),
        (State.COMPLETE, resume_at(2, 14), InvalidPosition, State.COMPLETE, TWO),
        (State.COMPLETE, seek(1, 4), "seeked", State.PLAYING, Place(1, 4)),
        (State.COMPLETE, seek(2, 13), "seeked step_complete complete", State.COMPLETE, TWO),
        (State.COMPLETE, speed, "", State.COMPLETE, TWO),
        (State.COMPLETE, stop, "", State.COMPLETE, TWO),
        (State.STOPPED, pause, NoActiveSession, State.STOPPED, Place(2, 4)),
        (State.STOPPED, resume, "resumed", State.PLAYING, Place(2, 4)),
        (State.STOPPED, resume_at(1, 2), "resumed", State.PLAYING, Place(1, 2)),
        (State.STOPPED, resume_at(2, 9), "resumed command command", State.PLAYING, Place(2, 9)),
        (State.STOPPED, seek(2, 9), "seeked chunk command", State.PLAYING, Place(2, 9)),
        (State.STOPPED, speed, "", State.STOPPED, Place(2, 4)),
        (State.STOPPED, stop, "", State.STOPPED, Place(2, 4)),
    ],
)
def test_the_state_table(state: State, act: Act, said: Any, then: State, place: Place) -> None:
    playback = standing(state)
    if isinstance(said, str):
        assert names(act(playback)) == said
    else:
        with pytest.raises(said):
            act(playback)
    assert (playback.state, playback.place) == (then, place)


# --- Beginning -------------------------------------------------------------------------------------


def test_a_whole_explanation_in_order() -> None:
    story = Story(STEPS)
    playback = Playback(story.whole(), HEADING, Pace(8, 0.05))
    events = [event for _, event in run(playback, 3.0, 9.0)]
    assert names(events) == (
        "start step_start chunk chunk step_complete"
        " step_start command chunk command chunk step_complete complete"
    )
    assert events[0] == ExplanationStart(2, round(26 * 0.05 / 8, 3), "hash", "session", "answer", cached=True)
    drawn = [(event.step, event.n, event.at) for event in events if isinstance(event, CanvasCommand)]
    assert drawn == [(2, 0, 0), (2, 1, 5)]
    finals = [event.is_final for event in events if isinstance(event, ContentChunk)]
    assert finals == [False, True, False, True]


def test_what_is_paused_before_there_is_text_begins_paused() -> None:
    story = Story([["one two three"]])
    playback = Playback(story.recording, HEADING, Pace(5, 0.05))
    assert isinstance(playback.pump(0.0)[0], WaitingPhrase)
    playback.pause(1.0)
    assert playback.next_due() is None and playback.pump(9.0) == []
    story.tell(2)
    assert playback.next_due() == 0.0
    assert names(playback.pump(10.0)) == "start"
    assert (playback.next_due(), playback.state, playback.played(99.0)) == (None, State.PAUSED, 0.0)
    assert names(playback.resume(100.0)) == "resumed step_start"
    assert names(playback.pump(100.0)) == "chunk"


def test_resuming_before_there_is_text_waits_on() -> None:
    story = Story([["one two three"]])
    playback = Playback(story.recording, HEADING, Pace(5, 0.05))
    playback.pump(0.0)
    playback.pause(1.0)
    assert playback.resume(2.0) == [StreamingResumed(1, 0)]
    assert isinstance(playback.pump(2.0)[0], WaitingPhrase)
    assert playback.resume(3.0, elsewhere=True) == [StreamingResumed(1, 0)]
    story.tell(2)
    assert names(playback.pump(4.0)) == "start step_start chunk"


@pytest.mark.parametrize("act", [seek(1, 4), resume_at(1, 4)])
@pytest.mark.parametrize("paused", [False, True])
def test_a_command_right_before_the_beginning_says_the_beginning(act: Act, *, paused: bool) -> None:
    playback = playback_of(*STEPS)
    if paused:
        playback.pause(0.0)
    events = act(playback)
    assert isinstance(events[0], ExplanationStart)
    stays = paused and "seeked" in names(events)
    assert playback.state is (State.PAUSED if stays else State.PLAYING)
    assert playback.played(10.0) == (0.0 if stays else 1.0)
    assert "start" not in names(event for _, event in run(playback, 9.0, 99.0)).split()


def test_waiting_phrases_come_every_few_seconds_until_there_is_text() -> None:
    playback = standing(State.WAITING)
    sent = run(playback, 0.0, 1.0)
    playback.set_speed(2.0, 0.005)
    sent += run(playback, 2.0, 30.0)
    phrases = [event.message for _, event in sent if isinstance(event, WaitingPhrase)]
    assert [time for time, _ in sent] == [WAITING_PHRASE_SECONDS * n for n in range(8)]
    assert all(one != other for one, other in itertools.pairwise(phrases))


def test_what_is_due_changes_only_with_the_recording_once_it_has_been_looked_at() -> None:
    story = Story([["one two ", "three"]])
    story.tell(2)
    playback = Playback(story.recording, HEADING, Pace(50, 0.05))
    run(playback, 0.0, 5.0)
    assert playback.place == Place(1, 7) and playback.next_due() is None
    story.tell(1)
    assert playback.next_due() == 0.0


# --- Places ----------------------------------------------------------------------------------------


def test_a_pause_says_its_place_reason_and_words() -> None:
    playback = standing(State.PLAYING)
    paused = playback.pause(2.0, reason=PauseReason.TOKEN_EXPIRED)
    assert paused == [StreamingPaused(2, 4, "Paused.", "token_expired")]
    moved = playback.pause(3.0, reason=PauseReason.MOVED)
    assert moved == [StreamingPaused(2, 4, "Paused.", "moved")]


@pytest.mark.parametrize(
    ("text", "position", "floor"),
    [("ab👩\u200d👩\u200d👧", 4, 2), ("so $x^2$ is", 5, 3), ("so $5 is", 5, 5), ("abc", 3, 3)],
)
def test_a_place_inside_a_cluster_or_formula_moves_back_to_its_start(
    text: str, position: int, floor: int
) -> None:
    for act in (pause_at(1, position), resume_at(1, position), seek(1, position)):
        playback = playback_of([text], [])
        playback.pump(0.0)
        playback.seek(0.0, Place(1, len(text)))
        event = next(event for event in act(playback) if hasattr(event, "position"))
        assert (event.step, event.position) == (1, floor)


def test_what_a_client_may_hold_of_an_open_step_ends_at_the_last_certain_cut() -> None:
    story = Story([["so $x^2$ is"]])
    story.recording.begin_step("Step 1", "text")
    story.recording.say("so $x^2")
    playback = Playback(story.recording, HEADING, Pace(5, 0.05))
    assert playback.believed(Place(1, 7)) == Place(1, 3)
    with pytest.raises(InvalidPosition):
        playback.believed(Place(1, 8))


def test_the_board_is_sent_again_to_whom_may_not_know_it() -> None:
    playback = standing(State.PAUSED)
    assert names(playback.resume(3.0, elsewhere=True)) == "resumed command"
    playback.pause(3.0)
    assert names(playback.resume(3.0)) == "resumed"


def test_an_empty_step_is_one_empty_final_chunk() -> None:
    playback = playback_of([DRAW], ["text"])
    events = playback.pump(0.0)
    assert names(events) == "start step_start command chunk step_complete"
    assert ContentChunk(1, "", 0, is_final=True) in events
    assert playback.place == Place(1, 0)
    playback.pause(0.0)
    assert names(playback.resume(0.0)) == "resumed step_start command"
    assert names(playback.pump(0.0)) == "chunk step_complete", "the step is told again as a whole"
    assert names(playback.pump(0.0)) == "step_start chunk step_complete complete"


def test_an_empty_last_step_is_completed_again() -> None:
    playback = playback_of(["text"], [])
    assert names(event for _, event in run(playback, 0.0, 9.0)).endswith("chunk step_complete complete")
    assert names(playback.resume(9.0)) == "resumed step_start"
    assert names(playback.pump(9.0)) == "chunk step_complete complete"


def test_a_drawing_at_the_beginning_of_an_open_step_does_not_wait_for_text() -> None:
    story = Story([["one"], [DRAW, "two"]])
    story.tell(4)
    playback = Playback(story.recording, HEADING, Pace(5, 0.05))
    run(playback, 0.0, 9.0)
    story.tell(1)
    assert names(event for _, event in run(playback, 9.0, 9.0)) == "command"


def test_what_is_sent_at_once_comes_in_large_chunks() -> None:
    playback = playback_of(["0123456 8 " * 1000])
    playback.pump(0.0)
    chunks = [event for event in playback.seek(0.0, Place(1, 9990)) if isinstance(event, ContentChunk)]
    assert len(chunks) == 2 and all(len(event.chunk) < LARGE_CHUNK * 1.5 for event in chunks)


def test_a_finished_explanation_is_played_again_at_its_pace() -> None:
    playback = standing(State.COMPLETE)
    playback.resume(50.0, Place(1, 3))
    sent = run(playback, 50.0, 99.0)
    assert sent[0][0] == 50.0 and sent[-1][0] == pytest.approx(50.0 + (26 - 3) * 0.01, abs=0.06)
    assert isinstance(sent[-1][1], ExplanationComplete)


def test_total_duration_is_the_seconds_of_playing() -> None:
    playback = playback_of(["x" * 100])
    run(playback, 0.0, 0.4)
    playback.pause(0.5)
    playback.resume(60.0)
    complete = run(playback, 60.0, 99.0)[-1][1]
    assert isinstance(complete, ExplanationComplete)
    assert complete.total_duration == pytest.approx(0.5 + (100 - 45) * 0.01, abs=0.06)


def test_a_snapshot_holds_nothing_that_was_not_played() -> None:
    playback = playback_of(*STEPS)
    assert playback.shown() == []
    playback.pump(0.0)
    playback.seek(0.0, Place(2, 5))
    shown = playback.shown()
    assert [step["content"] for step in shown] == ["one two three", "four "]
    assert [len(step["canvas_commands"]) for step in shown] == [0, 2]
    assert set(shown[0]) == {"step", "title", "type", "content", "canvas_commands"}


def test_it_ends_when_the_draft_does_even_if_all_text_was_played_before() -> None:
    story = Story([["one two"]])
    story.tell(3)
    playback = Playback(story.recording, HEADING, Pace(50, 0.05))
    assert names(event for _, event in run(playback, 0.0, 9.0)) == "start step_start chunk step_complete"
    assert playback.next_due() is None
    story.whole()
    assert names(event for _, event in run(playback, 9.0, 9.0)) == "complete"


# --- Failure ---------------------------------------------------------------------------------------


def test_a_failure_before_any_text_is_said_at_once_even_while_paused() -> None:
    for paused in (False, True):
        playback = standing(State.WAITING)
        if paused:
            playback.pause(0.0)
        playback.recording.failure = AiTimeout()
        assert playback.next_due() == 0.0
        error, stopped = playback.pump(1.0)
        assert isinstance(error, Error) and error.code == "ai_timeout" and error.retry_after is None
        assert stopped == ExplanationStopped(1, 0)
        assert playback.next_due() is None


def test_what_is_written_is_played_before_a_failure_is_said_and_each_resume_says_it_again() -> None:
    story = Story([["one two three four "]])
    story.tell(2)
    playback = Playback(story.recording, HEADING, Pace(5, 0.05))
    playback.pump(0.0)
    story.recording.failure = AiUnavailable(retry_after=7.0)
    sent = [event for _, event in run(playback, 0.0, 9.0)]
    assert names(sent) == "chunk chunk chunk error stopped"
    assert sent[-2].payload()["retry_after"] == 7.0
    assert playback.place == Place(1, 18)
    assert names(playback.resume(9.0)) == "resumed"
    assert names(playback.pump(9.0)) == "error stopped"


def test_a_failure_is_due_at_once_when_nothing_is_left_to_play() -> None:
    story = Story([["one two"]])
    story.tell(2)
    playback = Playback(story.recording, HEADING, Pace(50, 0.05))
    run(playback, 0.0, 9.0)
    assert playback.next_due() is None
    story.recording.failure = AiTimeout()
    assert playback.next_due() == 0.0


# --- Pace ------------------------------------------------------------------------------------------


def chunks_of(sent: list[tuple[float, Event]]) -> list[tuple[float, ContentChunk]]:
    return [(time, event) for time, event in sent if isinstance(event, ContentChunk)]


def samples() -> list[Recording]:
    recordings = []
    for line in SAMPLES.read_text("utf-8").splitlines():
        steps = Explanation.model_validate(
            {"answer_steps": json.loads(line)["answer_steps"], "total_duration": 1}
        ).model_dump()["answer_steps"]
        recordings.append(Recording.of(steps, 1.0, "answer", "es"))
    return recordings


@pytest.mark.parametrize("speed", [0.005, 0.3, 1.0, 2.0, 8.0])
def test_chunks_have_the_paces_size_and_characters_per_second_are_exact(speed: float) -> None:
    lengths, gaps, word_ends = [], [], []
    for recording in samples():
        playback = Playback(recording, HEADING, Pace(50, 0.05), speed=speed)
        sent = chunks_of(run(playback, 0.0, 1e6))
        text = "".join(event.chunk for _, event in sent)
        assert sent[0][0] == 0.0, "the first chunk leaves at once"
        before = len(text) - len(sent[-1][1].chunk)
        assert sent[-1][0] == pytest.approx(before / (50 * speed / 0.05))
        lengths += [len(event.chunk) for _, event in sent]
        gaps += [later - time for (time, _), (later, _) in itertools.pairwise(sent)]
        for _, event in sent:
            content = recording.steps[event.step - 1].content
            end = event.position + len(event.chunk)
            word_ends.append(end == len(content) or content[end].isspace() or content[end - 1].isspace())
    if speed <= 2.0:  # at 8 most steps are shorter than two chunks
        assert fmean(lengths) == pytest.approx(50 * max(1.0, speed), rel=0.1)
        assert fmean(gaps) == pytest.approx(0.05 / min(1.0, speed), rel=0.1)
    assert fmean(word_ends) > 0.95


def test_a_speed_change_takes_effect_at_once() -> None:
    playback = playback_of(["x" * 100], size=50, delay=0.05, speed=0.005)
    playback.pump(0.0)
    assert playback.next_due() == 10.0
    playback.set_speed(4.0, 1.0)
    assert playback.next_due() == pytest.approx(4.0 + 6.0 * 0.005)
    playback.set_speed(4.0, 0.005)
    assert playback.next_due() == pytest.approx(10.0)
    playback.resume(4.0, speed=1.0)
    assert playback.next_due() == pytest.approx(4.03)


def test_what_is_late_merges_into_one_chunk_and_the_clock_is_kept() -> None:
    playback = playback_of(["word " * 400], size=50, delay=0.05)
    playback.pump(0.0)
    (event,) = playback.pump(0.52)
    assert isinstance(event, ContentChunk)
    assert 450 <= len(event.chunk) <= 550, "ten intervals in one chunk"
    assert playback.next_due() == pytest.approx(playback.place.position * 0.001)
    assert playback.pump(0.53) == []


def test_a_draft_that_starves_stops_the_clock() -> None:
    story = Story([["word " * 20, "word " * 200]])
    story.tell(2)
    playback = Playback(story.recording, HEADING, Pace(50, 0.05))
    run(playback, 0.0, 60.0)
    story.tell(1)
    (event,) = playback.pump(60.0)
    assert isinstance(event, ContentChunk) and len(event.chunk) < 60, "no burst after the silence"


def test_trickling_text_is_heard_at_most_once_an_interval() -> None:
    story = Story([list("a lot of little letters that come one by one")])
    story.tell(1)
    playback, times = Playback(story.recording, HEADING, Pace(20, 0.1)), []
    for tick in range(44):
        story.tell(1)
        times += [time for time, _ in chunks_of(run(playback, tick * 0.03, tick * 0.03 + 0.0299))]
    gaps = [later - time for time, later in itertools.pairwise(times)]
    assert len(times) > 10 and min(gaps) >= 0.1 - 1e-9


def test_a_draft_with_enough_text_plays_at_the_exact_pace() -> None:
    story = Story([["unhurried words of many lengths, " * 40]])
    story.tell(2)
    playback = Playback(story.recording, HEADING, Pace(50, 0.05))
    sent = chunks_of(run(playback, 0.0, 1.0))
    assert all(time == pytest.approx(event.position * 0.001) for time, event in sent)
    assert fmean(len(event.chunk) for _, event in sent) == pytest.approx(50, rel=0.1)


def test_opening_a_step_that_has_no_text_yet_costs_no_time() -> None:
    story = Story([["one"], ["two three"]])
    story.tell(4)
    playback = Playback(story.recording, HEADING, Pace(50, 0.05), speed=0.005)
    run(playback, 0.0, 1.0)
    story.tell(1)
    assert [time for time, _ in run(playback, 1.0, 2.0)] == [1.0]


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_estimated_duration_counts_what_remains_and_600_for_what_is_not_written(speed: float) -> None:
    story = Story([["x" * 100], ["y" * 200], ["z"]])
    story.tell(5)
    playback = Playback(story.recording, HEADING, Pace(50, 0.05), speed=speed)
    unwritten = 2 * UNWRITTEN_STEP
    assert playback.estimated_duration() == pytest.approx((100 + unwritten) / (1000 * speed), abs=1e-3)
    playback.pump(0.0)
    playback.seek(0.0, Place(2, 150))
    assert playback.estimated_duration() == pytest.approx((unwritten - 150) / (1000 * speed), abs=1e-3)
    story.recording.say("y" * 500)
    assert playback.estimated_duration() == pytest.approx((700 - 150 + 600) / (1000 * speed), abs=1e-3)
    story.whole()
    assert playback.estimated_duration() == pytest.approx(551 / (1000 * speed), abs=1e-3)
    run(playback, 0.0, 99.0)
    assert playback.estimated_duration() == 0.0


# --- A thousand pauses -----------------------------------------------------------------------------


def test_after_a_pause_nothing_follows_and_a_resume_goes_on_with_the_next_character() -> None:
    dice = random.Random(1)
    parts = [["Dos 👩\u200d👩\u200d👧 y $x^2$ ", DRAW, "son e\u0301l, "] * 7] * 2
    for _ in range(1000):
        story = Story(parts)
        playback = Playback(story.whole(), HEADING, Pace(5, 0.05))
        client, moment = ModelClient(story), dice.uniform(0.0, 1.3)
        for _, event in run(playback, 0.0, moment):
            client.apply(event)
        if playback.state.finished:
            continue
        held = client.place
        shown = Place(held.step, dice.randint(0, held.position)) if dice.random() < 0.5 else None
        (paused,) = playback.pause(moment, shown)
        assert isinstance(paused, StreamingPaused)
        place = Place(paused.step, paused.position)
        assert place == (playback.believed(shown) if shown else held) == playback.place
        client.apply(paused)
        assert playback.next_due() is None and playback.pump(moment + dice.uniform(0.0, 99.0)) == []
        events = [*playback.resume(moment + 99.0), *(event for _, event in run(playback, moment + 99.0, 1e3))]
        assert events[0] == StreamingResumed(place.step, place.position)
        first = next((event for event in events if isinstance(event, ContentChunk)), None)
        following = Place(place.step + 1, 0)
        if first:
            assert Place(first.step, first.position) in (place, following)
        for event in events:
            client.apply(event)
        assert client.complete and list(client.contents.values()) == story.texts


def test_a_resume_in_place_does_not_announce_the_open_step_again() -> None:
    """Only a client that says where it is, or is another one, is told of a step once more."""
    recording = Recording("en")
    recording.plan(2, 0.0)
    recording.begin_step("One", "text")
    recording.say("one ")
    recording.end_step()
    recording.begin_step("Two", "text")
    playback = Playback(recording, HEADING, Pace(50, 0.05))
    run(playback, 0.0, 9.0)
    assert playback.place == Place(2, 0)
    playback.pause(9.0)
    assert names(playback.resume(9.0)) == "resumed"
    playback.pause(9.0)
    assert names(playback.resume(9.0, Place(2, 0))) == "resumed step_start"
