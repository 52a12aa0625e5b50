"""The contract's tables, written out once more, and everything that clients may get wrong."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import InvalidPayload, InvalidPosition, StreamingError, UnknownEvent
from streaming.protocol import (
    COMMANDS,
    About,
    AskQuestion,
    Command,
    Error,
    ErrorCode,
    Event,
    PauseReason,
    Place,
    PlacedCommand,
    State,
    read_command,
)

OUT = {
    "waiting_phrase": "message",
    "explanation_start": "total_steps estimated_duration question_hash session_id answer_id cached",
    "step_start": "step title type",
    "content_chunk": "step chunk position is_final",
    "canvas_command": "step command n at",
    "step_complete": "step",
    "explanation_complete": "total_duration steps_completed",
    "streaming_paused": "step position message reason",
    "explanation_paused": "step position",
    "streaming_resumed": "step position",
    "explanation_seeked": "step position",
    "explanation_stopped": "step position",
    "server_restarting": "retry_after",
    "error": "code message retry_after",
}
IN = {  # a key with `!` must be there
    "ask_question": "token question! context speed request_id about",
    "pause_explanation": "token session_id step position",
    "resume_explanation": "token session_id step position speed answer_data",
    "stop_explanation": "token session_id",
    "seek_explanation": "token session_id step! position",
    "set_speed": "token session_id speed!",
    "get_session": "token session_id",
}
CODES = """
unauthorized token_expired invalid_payload unknown_event question_empty question_too_long invalid_position
no_active_session rate_limited too_many_connections server_busy insufficient_credits awaiting_review
content_blocked
ai_not_configured ai_unavailable ai_timeout ai_refused ai_invalid_answer internal_error
"""

LEAST: dict[str, dict[str, Any]] = {
    "ask_question": {"question": "¿Qué es una fracción?"},
    "seek_explanation": {"step": 1},
    "set_speed": {"speed": 1},
}
ABOUT = {"session_id": "0b5e", "step": 1, "position": 0}
GOOD: dict[str, list[Any]] = {
    "token": ["x.y.z", "", None],
    "question": ["¿2 + 2?", ""],
    "context": [{}, {"subject": "maths", "level": "3"}],
    "speed": [0.005, 1, 1.5, 8, 8.0],
    "request_id": ["r-1", "x" * 200],
    "session_id": ["0b5e", "niño"],
    "step": [1, 30],
    "position": [0, 20_000],
    "answer_data": [None, {"steps": []}, [], "x", 5],
}


def nested(depth: int) -> Any:
    value: Any = "canary"
    for level in range(depth):
        value = [value] if level % 2 else {"canary": value}
    return value


ODD = [None, True, [], {}, nested(1000), b"canary", float("nan"), "canary\x00", "canary\ud800"]
NUMBERS = [*ODD, "1", float("inf"), -float("inf")]
BAD: dict[str, list[Any]] = {
    "token": [5, True, [], {}, nested(1000), b"canary"],
    "question": [None, True, 5, [], {}, nested(1000), b"canary"],
    "context": [None, True, 5, "canary", [], nested(1000), {"canary": None}, {"canary": 1}, {1: "canary"}],
    "speed": [*NUMBERS, 0, 0.0049, 8.01, -1, 10**400],
    "request_id": [*ODD, 5, "", "x" * 201],
    "session_id": [*ODD, 5, "", "x" * 201],
    "step": [*NUMBERS, 1.0, 1.5],
    "position": [*NUMBERS, 0.0],
    "about": [None, True, 5, "canary", [], {}, nested(1000), *({**ABOUT, key: None} for key in ABOUT)]
    + [{**ABOUT, "session_id": ""}, {**ABOUT, "step": "1"}, {**ABOUT, "position": 1.5}]
    + [{key: ABOUT[key] for key in ABOUT if key != missing} for missing in ABOUT],
}
KEYS = [(event, key.rstrip("!")) for event, keys in IN.items() for key in keys.split()]


def with_key(event: str, key: str, value: object) -> dict[str, Any]:
    step = {"step": 1} if key == "position" else {}
    return {**LEAST.get(event, {}), **step, key: value}


def test_the_events_to_clients_are_the_contracts() -> None:
    assert {
        event.name: " ".join(field.name for field in fields(event)) for event in Event.__subclasses__()
    } == OUT


def test_the_events_from_clients_are_the_contracts() -> None:
    assert {
        name: " ".join(
            key + "!" * field.is_required()
            for key, field in sorted(command.model_fields.items(), key=lambda item: IN[name].find(item[0]))
        )
        for name, command in COMMANDS.items()
    } == IN


def test_codes_states_and_reasons_are_the_contracts() -> None:
    assert [code.value for code in ErrorCode] == CODES.split()
    assert [state.value for state in State] == ["waiting", "playing", "paused", "complete", "stopped"]
    assert [state for state in State if state.finished] == [State.COMPLETE, State.STOPPED]
    assert [reason.value for reason in PauseReason] == ["user", "moved", "token_expired", "restart"]


def test_an_errors_payload_has_retry_after_only_when_there_is_one() -> None:
    assert Error("ai_timeout", "…").payload() == {"code": "ai_timeout", "message": "…"}
    assert Error("rate_limited", "…", 0.0).payload() == {
        "code": "rate_limited",
        "message": "…",
        "retry_after": 0.0,
    }


@pytest.mark.parametrize("event", COMMANDS)
def test_the_least_that_a_client_may_send(event: str) -> None:
    command = read_command(event, [LEAST[event]] if event in LEAST else [])
    assert type(command) is COMMANDS[event]
    assert command.token is None and getattr(command, "session_id", "") == ""
    if isinstance(command, PlacedCommand):
        assert command.place == (Place(1, 0) if event == "seek_explanation" else None)


@pytest.mark.parametrize(("event", "key"), [(event, key) for event, key in KEYS if key in GOOD])
def test_what_a_key_may_hold(event: str, key: str) -> None:
    for value in GOOD[key]:
        assert getattr(read_command(event, [with_key(event, key, value)]), key) == value


@pytest.mark.parametrize(("event", "key"), [(event, key) for event, key in KEYS if key in BAD])
def test_what_a_key_may_not_hold_is_refused_by_the_keys_name_alone(event: str, key: str) -> None:
    for value in BAD[key]:
        with pytest.raises(InvalidPayload) as refused:
            read_command(event, [with_key(event, key, value)])
        assert str(refused.value) == key
        assert refused.value.__cause__ is None and refused.value.__context__ is None


@pytest.mark.parametrize("event", LEAST)
def test_what_has_to_be_there(event: str) -> None:
    with pytest.raises(InvalidPayload, match=f"^{next(iter(LEAST[event]))}$"):
        read_command(event, [{}])


def test_every_wrong_key_is_named() -> None:
    with pytest.raises(InvalidPayload, match=r"^context, question, token$"):
        read_command("ask_question", [{"question": 5, "token": 5, "context": None, "other": None}])


@pytest.mark.parametrize("event", COMMANDS)
def test_unknown_keys_mean_nothing(event: str) -> None:
    least = LEAST.get(event, {})
    extra = {"other": nested(1000), "event": "x", "place": 5, "nullable": None, "\ud800": "\x00", "": None}
    assert read_command(event, [{**least, **extra}]) == read_command(event, [least])


@pytest.mark.parametrize("args", [[None], ["canary"], [5], [[]], [b""], [{}, {}], [{}, None]])
@pytest.mark.parametrize("event", COMMANDS)
def test_only_one_object_is_a_payload(event: str, args: list[Any]) -> None:
    with pytest.raises(InvalidPayload, match=r"^one object is expected$"):
        read_command(event, args)


@pytest.mark.parametrize("event", ["", "connect", "pause", "ASK_QUESTION", "socketio.disconnect", "\ud800"])
def test_an_unknown_event(event: str) -> None:
    with pytest.raises(UnknownEvent):
        read_command(event, [{}])


def test_a_question_may_be_about_a_place() -> None:
    command = read_command("ask_question", [with_key("ask_question", "about", {**ABOUT, "other": nested(9)})])
    assert isinstance(command, AskQuestion) and command.about == About(**ABOUT)
    assert command.about.place == Place(1, 0)


@pytest.mark.parametrize("event", ["pause_explanation", "resume_explanation", "seek_explanation", "ask"])
@pytest.mark.parametrize(
    "place", [(0, 0), (-1, 0), (1, -1), (10**7, 0), (1, 10**7), (10**30, 0), (1, 10**30), (1, 10**5000)]
)
def test_what_is_no_place_in_any_explanation(event: str, place: tuple[int, int]) -> None:
    payload: dict[str, Any] = {"step": place[0], "position": place[1]}
    if event == "ask":
        event, payload = "ask_question", with_key("ask_question", "about", {**ABOUT, **payload})
    with pytest.raises(InvalidPosition):
        read_command(event, [payload])


def test_a_position_needs_its_step() -> None:
    for event in ("pause_explanation", "resume_explanation", "seek_explanation"):
        with pytest.raises(InvalidPayload, match="step"):
            read_command(event, [{"position": 3}])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PAYLOADS = st.dictionaries(st.sampled_from([key for _, key in KEYS]), JSON, max_size=6) | JSON


@given(st.sampled_from([*COMMANDS, "other"]), st.lists(PAYLOADS, max_size=2))
def test_whatever_arrives_is_a_command_or_one_coded_error(event: str, args: list[Any]) -> None:
    try:
        assert isinstance(read_command(event, args), Command)
    except StreamingError as error:
        assert error.code in ("invalid_payload", "unknown_event", "invalid_position")
