"""Writes the tables of docs/protocol.md from the contract in code: `python -m streaming.protocol_docs`.

What stands between `<!-- name -->` and `<!-- /name -->` there is a table of this module; the rest is prose.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from answers.recording import Recording
from streaming.errors import StreamingError
from streaming.messages import ERRORS
from streaming.playback import Heading, Pace, Playback
from streaming.protocol import COMMANDS, ErrorCode, Event, PauseReason, Place, State

FILE = Path(__file__).parent.parent / "docs" / "protocol.md"
STEERING: dict[str, Callable[[Playback], object]] = {
    "pause_explanation": lambda playback: playback.pause(0.0),
    "resume_explanation": lambda playback: playback.resume(0.0),
    "seek_explanation": lambda playback: playback.seek(0.0, Place(1, 1)),
    "set_speed": lambda playback: playback.set_speed(0.0, 2.0),
    "stop_explanation": lambda playback: playback.stop(0.0),
}


def documented(text: str) -> str:
    """Return the document with its tables as the code has them now."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->\n"
        before, rest = text.split(start)
        text = f"{before}{start}{table()}{end}{rest.split(end)[1]}"
    return text


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _commands() -> str:
    rows = []
    for name, command in COMMANDS.items():
        schema = command.model_json_schema()
        required = schema.get("required", ())
        keys = [
            f"`{key}{'' if key in required else '?'}` {_words(value, schema, key in command.nullable)}"
            for key, value in schema["properties"].items()
            if key != "token"
        ]
        rows.append([f"`{name}`", "<br>".join(keys), str(command.__doc__)])
    return _table(("event", "payload", "effect, and acknowledgement"), rows)


def _events() -> str:
    rows = []
    for event in {event.name: event for event in Event.__subclasses__()}.values():
        schema = TypeAdapter(event).json_schema()
        optional = event.name == "error"
        keys = [
            f"`{key}{'?' if optional and 'default' in value else ''}` {_words(value, schema, not optional)}"
            for key, value in schema["properties"].items()
        ]
        rows.append([f"`{event.name}`", "<br>".join(keys), str(event.__doc__)])
    return _table(("event", "payload", "meaning"), rows)


def _words(value: dict[str, Any], schema: dict[str, Any], nullable: bool) -> str:
    """Return a JSON schema in words."""
    match value:
        case {"anyOf": kinds}:
            kept = [kind for kind in kinds if nullable or kind.get("type") != "null"]
            return " or ".join(_words(kind, schema, nullable) for kind in kept)
        case {"$ref": reference}:
            return f"`{{{', '.join(schema['$defs'][reference.split('/')[-1]]['properties'])}}}`"
        case {"type": "number", "minimum": least, "maximum": most}:
            return f"number, {least:g} to {most:g}"
        case {"type": "string", "minLength": least, "maxLength": most}:
            return f"string, {least} to {most} characters"
        case {"type": "object", "additionalProperties": {"type": kind}}:
            return f"object of {kind}s"
    return str(value.get("type", "anything"))


def _states() -> str:
    head = ("state", *(f"`{name}`" for name in STEERING))
    return _table(head, ([f"**{state}**", *(_outcome(state, name) for name in STEERING)] for state in State))


def _outcome(state: State, name: str) -> str:
    """Return what a command does to a session in a state, by trying it."""
    step = {"title": "", "type": "text", "content": "text", "canvas_commands": []}
    written = Recording("en") if state is State.WAITING else Recording.of([step], 0.0, None, "en")
    place = {State.WAITING: Place(), State.COMPLETE: Place(1, 4)}.get(state, Place(1, 2))
    begun = state is not State.WAITING
    playback = Playback(
        written, Heading("", "", True, "en"), Pace(1, 1.0), state=state, place=place, begun=begun
    )
    try:
        STEERING[name](playback)
    except StreamingError as error:
        return f"`{error.code}`"
    return playback.state.value


def _codes() -> str:
    return _table(("code", "what an English student reads"), ([f"`{c}`", ERRORS["en"][c]] for c in ErrorCode))


def _reasons() -> str:
    return f"`reason`: {', '.join(f'`{reason}`' for reason in PauseReason)}. {PauseReason.__doc__}"


TABLES: dict[str, Callable[[], str]] = {
    "commands": _commands,
    "events": _events,
    "reasons": _reasons,
    "states": _states,
    "codes": _codes,
}

if __name__ == "__main__":
    FILE.write_text(documented(FILE.read_text()))
