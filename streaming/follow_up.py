"""A question about a place in another explanation: "I did not follow this"."""

from answers.questions import about
from answers.text import sentence_at
from streaming.errors import InvalidPosition
from streaming.playback import Playback
from streaming.protocol import About, AskQuestion, Event, Place
from streaming.sessions import SessionRecord


def follow_up(command: AskQuestion, place: Place, parent: SessionRecord, playback: Playback) -> AskQuestion:
    """Return the question as it stands by itself: with the sentence at the place, in its parent's context.

    Raises `InvalidPosition` for a place beyond what is written.
    """
    at, recording = playback.believed(place), playback.recording
    if at.step > len(recording.steps):
        raise InvalidPosition
    step = recording.steps[at.step - 1]
    sentence = sentence_at(step.content[: step.playable], at.position) or step.title
    # What is left empty takes nothing away: what is about a private explanation stays private.
    given = {name: value for name, value in command.context.items() if value.strip()}
    context = {**parent.context, "language": recording.language, **given}
    changed = {
        # In the words of its answer, which all share who hear it, whatever theirs were.
        "question": about(command.question, sentence, recording.question or parent.question),
        "context": context,
        "about": About(session_id=parent.session_id, step=at.step, position=at.position),
    }
    return command.model_copy(update=changed)


def rested(playback: Playback, at: Place, now: float) -> list[Event]:
    """Let a playhead rest at a place, though it may rest at another one already."""
    events = playback.pause(now, at)
    return events if playback.place == at else [*events, *playback.seek(now, at)]
