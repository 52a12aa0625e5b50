"""Nothing a client sends disturbs the server or another client; what is refused is refused once, coded."""

import asyncio
import json
import random
import re
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.client import RawClient, StudentClient
from tests.e2e.conftest import SKY, assert_prefix, stored_text
from tests.figures import figure
from tests.server import Server, Student, Template

CANARY = "kanarienvogel"  # in whatever a client sends here; never in the log
DEEP = "[" * 1000 + "]" * 1000
NO_SESSION = {"session_id": CANARY}


def deep(depth: int) -> Any:
    value: Any = CANARY
    for _ in range(depth):
        value = {"a": value}
    return value


# What is sent after `42`, and the code that it is refused with.
REFUSED: dict[str, tuple[str, str]] = {
    **{
        f"event {name}": (json.dumps([name, {"question": CANARY}]), "unknown_event")
        for name in (
            *("connect", "disconnect", "socketio.disconnect", "socketio.connect", "session.command", "*"),
            *("message", "", "ask_question ", "ASK_QUESTION", "__init__", "work", "session_answer", CANARY),
            *("x" * 5000, "\0", "\ud800", "error", "connect_error", "socketio.event", "dispatch"),
        )
    },
    **{
        f"payload {json.dumps(payload)[:30]}": (json.dumps(["ask_question", payload]), "invalid_payload")
        for payload in (
            *(None, True, 7, 1.5, CANARY, [], [CANARY], {}, {"question": None}, {"question": 7}),
            *({"question": [CANARY]}, {"question": {}}, {"question": SKY, "context": CANARY}),
            *({"question": SKY, "context": [CANARY]}, {"question": SKY, "context": {"subject": 7}}),
            *(
                {"question": SKY, "context": {"subject": {CANARY: 1}}},
                {"question": "a\0b"},
                {"question": "\ud800"},
            ),
            *(
                {"question": SKY, "context": {"subject": "\udfff"}},
                {"question": SKY, "context": {"x" * 99: "y"}},
            ),
            {"question": SKY, "context": {str(n): "x" for n in range(99)}},
            *(
                {"question": SKY, "speed": speed}
                for speed in (0, -1, 8.1, "1", None, True, float("nan"), 1e999)
            ),
            *({"question": SKY, "request_id": value} for value in (7, "x" * 201, [], "\ud800")),
            {"question": SKY, "token": ["x"]} | {"token": []},
            {"question": SKY, "context": {"language": "../.."}},
        )
    },
    **{
        f"{event} {json.dumps(payload)[:30]}": (json.dumps([event, payload]), code)
        for event, payload, code in (
            ("ask_question", {"question": " \t\n"}, "question_empty"),
            ("ask_question", {"question": "?!"}, "question_empty"),
            ("ask_question", {"question": "x" * 2001}, "question_too_long"),
            ("seek_explanation", {}, "invalid_payload"),
            ("seek_explanation", {"step": "1"}, "invalid_payload"),
            ("seek_explanation", {"step": 1.5}, "invalid_payload"),
            ("seek_explanation", {"step": True}, "invalid_payload"),
            ("seek_explanation", {"step": 1, "position": "0"}, "invalid_payload"),
            ("seek_explanation", {"step": 0}, "invalid_position"),
            ("seek_explanation", {"step": 1, "position": -1}, "invalid_position"),
            ("pause_explanation", {"position": 3}, "invalid_payload"),
            ("pause_explanation", NO_SESSION, "no_active_session"),
            ("pause_explanation", {"session_id": "\ud800"}, "invalid_payload"),
            ("pause_explanation", {"session_id": "a\0b"}, "invalid_payload"),
            ("pause_explanation", {"session_id": ""}, "invalid_payload"),
            ("pause_explanation", {"session_id": "x" * 500}, "invalid_payload"),
            ("resume_explanation", NO_SESSION, "no_active_session"),
            ("resume_explanation", {"session_id": 7}, "invalid_payload"),
            ("resume_explanation", {"speed": 100}, "invalid_payload"),
            ("resume_explanation", {"step": 10**400}, "invalid_position"),
            ("stop_explanation", {}, "no_active_session"),
            ("set_speed", {}, "invalid_payload"),
            ("set_speed", {"speed": "fast"}, "invalid_payload"),
            ("get_session", {"session_id": None}, "invalid_payload"),
            ("get_session", [1], "invalid_payload"),
        )
    },
    "two arguments": (json.dumps(["get_session", {}, {}]), "invalid_payload"),
    "deep event": (f'["ask_question",{DEEP}]', "invalid_payload"),
    "deep payload": (json.dumps(["ask_question", deep(400)]), "invalid_payload"),
    "no list": ('{"a":1}', "invalid_payload"),
    "empty list": ("[]", "invalid_payload"),
    "name is a number": ("[7]", "invalid_payload"),
    "name is null": ("[null,{}]", "invalid_payload"),
    "name is an object": ('[{"a":1}]', "invalid_payload"),
    "text": (f'"{CANARY}"', "invalid_payload"),
    "cut JSON": (f'["ask_question",{{"question":"{CANARY}', "invalid_payload"),
    "single quotes": (f"['{CANARY}']", "invalid_payload"),
    "huge number": ('["seek_explanation",{"step":' + "9" * 5000 + "}]", "invalid_payload"),
}

# Whole Socket.IO packets that are none of ours.
MALFORMED: dict[str, str] = {
    "other namespace": f'2/{CANARY},["get_session",{{}}]',
    "binary event": f'51-["ask_question",{{"question":{{"_placeholder":true,"num":0}},"x":"{CANARY}"}}]',
    "binary event without attachment": '50-["ask_question",{}]',
    "many attachments": '599999999999-["x"]',
    "binary acknowledgement": '61-7[{"_placeholder":true,"num":0}]',
    "connect error": f'4{{"message":"{CANARY}"}}',
    "unknown type": f"7{CANARY}",
    "another unknown type": "9",
    "garbage": CANARY,
    "nothing": "",
    "deep nothing": "2" + "[" * 30000,
    "superscript": "²[]",
    "long number": "2" + "9" * 300 + '["get_session",{}]',
}


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def victim(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)


async def refusals(client: RawClient, ack: int) -> list[dict[str, Any]]:
    """Return the errors that came up to now; `ack` numbers the question that shows it."""
    since = client.seen
    answer = await client.call("get_session", {"session_id": "none"}, ack=ack)
    assert answer == [{"ok": True, "session": None}]
    client.seen = len(client.events)
    return [event.data for event in client.events[since:] if event.name == "error"]


async def test_every_refused_event_gets_one_coded_error_and_one_acknowledgement(
    victim: Server, learner: Student
) -> None:
    async with RawClient(victim.url, learner.token()) as client:
        for number, (name, (data, code)) in enumerate(REFUSED.items()):
            for ack in (None, 3 * number):
                await client.send(f"42{'' if ack is None else ack}{data}")
                errors = await refusals(client, 3 * number + 1 + (ack is None))
                assert [error["code"] for error in errors] == [code], name
                assert errors[0]["message"], name
                assert errors[0].keys() == {"code", "message"}, name
            assert await client.acknowledged(3 * number) == [{"ok": False, "error": errors[0]}], name
        assert not client.faults
    figure(f"{2 * len(REFUSED)} refused events")


async def test_every_malformed_packet_gets_one_coded_error(victim: Server, learner: Student) -> None:
    async with RawClient(victim.url, learner.token()) as client:
        for number, (name, packet) in enumerate(MALFORMED.items()):
            await client.send("4" + packet)
            if name.startswith(("binary event", "binary ack")):
                await client.send(CANARY.encode())
            errors = await refusals(client, 500 + number)
            assert [error["code"] for error in errors] == ["invalid_payload"], name
        assert set(client.acks) <= {*range(500, 500 + len(MALFORMED)), int("9" * 100)}, "nobody else asked"
        await client.send('451-77["x",{"_placeholder":true,"num":0}]')
        assert await client.acknowledged(77) == [{"ok": False, "error": (await refusals(client, 1000))[0]}]


JUNK: list[Any] = [
    *(None, True, 0, -1, 7, 1.5, float("nan"), float("inf"), 10**30, "", CANARY, "\0", "\ud800", "x" * 3000),
    *([], {}, [CANARY], {CANARY: CANARY}, deep(50), "1", "ask_question", {"_placeholder": True, "num": 0}),
]
VALID: list[tuple[str, dict[str, Any]]] = [
    ("ask_question", {"question": SKY, "context": {"language": "es"}, "speed": 1.0, "request_id": "r"}),
    ("pause_explanation", {"session_id": "s", "step": 1, "position": 2}),
    ("resume_explanation", {"session_id": "s", "step": 1, "position": 2, "speed": 2.0, "answer_data": {}}),
    ("seek_explanation", {"session_id": "s", "step": 1, "position": 2}),
    ("set_speed", {"session_id": "s", "speed": 2}),
    ("stop_explanation", {"session_id": "s"}),
    ("get_session", {"session_id": "s"}),
]


def mutated(chance: random.Random) -> str:
    """Return a valid event of ours with something wrong, in its values or in its text."""
    name, payload = chance.choice(VALID)
    payload = {key: value for key, value in payload.items() if chance.random() < 0.7}
    for _ in range(chance.randint(0, 2)):
        payload[chance.choice([*payload, "token", "extra", "about"])] = chance.choice(JUNK)
    text = json.dumps([name, payload])
    if chance.random() < 0.3:
        at = chance.randrange(1, len(text))  # a digit before the list would belong to the number asked with
        text = (
            text[:at]
            + chance.choice(["", "\\", '"', "]", "{", "\x1e", "0", "é"])
            + text[at + chance.randint(0, 3) :]
        )
    return text


async def test_whatever_is_done_to_an_event_it_is_answered_once(victim: Server, template: Template) -> None:
    seed, count = random.randrange(2**32), 150
    figure(f"{victim.kind}: seed {seed}")
    chance, refused = random.Random(seed), 0
    async with RawClient(victim.url, template.student().token()) as client:
        for number in range(count):
            event = mutated(chance)
            await client.send(f"42{2 * number}{event}")
            errors = await refusals(client, 2 * number + 1)
            # What became of an ask that was accepted is no answer to it.
            errors = [error for error in errors if not error["code"].startswith("ai_")]
            (ack,) = await client.acknowledged(2 * number)
            assert errors == ([] if ack["ok"] else [ack["error"]]), event
            assert not errors or errors[0]["code"] != "internal_error", event
            refused += not ack["ok"]
        assert not [fault for fault in client.faults if "twice" in fault]
        await client.event("stop_explanation", {})
    figure(f"{refused} of {count} refused")


# Frames that are not Engine.IO's, or not in place; `40` enters first where a case begins with ENTER.
ENTER = object()
FRAMES: dict[str, list[Any]] = {
    "garbage": [ENTER, CANARY],
    "empty": [ENTER, ""],
    "oversized": [ENTER, "42" + json.dumps(["ask_question", {"question": CANARY * 6000}])],
    "oversized binary": [ENTER, b"x" * 70_000],
    "type 0": [ENTER, "0{}"],
    "type 7": [ENTER, "7"],
    "type 9": [ENTER, "9" + CANARY],
    "pong with data": [ENTER, "3" + CANARY],
    "deep ping": [ENTER, "2" + "[" * 20000],
    "probe": [ENTER, "2probe", "5"],
    "upgrade": [ENTER, "5", "5", "5"],
    "noop": [ENTER, "6", "6"],
    "ping": [ENTER, "2", "2"],
    "pong": [ENTER, "3", "3"],
    "close": [ENTER, "1", "42" + json.dumps(["ask_question", {"question": SKY}])],
    "base64": [ENTER, "bAAAA", "b!!!"],
    "binary noise": [ENTER, bytes(range(256)), b"", b"\xff\xfe"],
    "event before connect": ["42" + json.dumps(["ask_question", {"question": CANARY}])],
    "events before connect": ["42" + json.dumps([CANARY])] * 50,
    "disconnect before connect": ["41", "41"],
    "acknowledgement before connect": ["430[]", "4399[]"],
    "binary before connect": ['451-["x",{"_placeholder":true,"num":0}]', b"x"],
    "malformed connect": ["40{" + CANARY, "40[", '40"' + CANARY + '"', "40[1]", "407", "40null"],
    "deep connect": ["40" + "[" * 30000],
    "second connect": [ENTER, "40", "40{}"],
    "connects": ["40"] * 20,
    "other namespace": [f"40/{CANARY},", f"41/{CANARY},", f'42/{CANARY},["x"]', f"43/{CANARY},1[]"],
    "in and out": [ENTER, "41", "40", "41", "40", "42" + json.dumps(["get_session", {}])],
    "acknowledgements for nothing": [
        ENTER,
        "430[]",
        "43" + "9" * 90 + "[]",
        "43[]",
        "43",
        '435{"a":1}',
        "43x",
    ],
    "huge ack number": [
        ENTER,
        "42" + "9" * 99 + '["get_session",{}]',
        "42" + "9" * 101 + '["get_session",{}]',
    ],
    "record separator": [ENTER, '42["get_session",{}]\x1e42["get_session",{}]'],
    "asks and goes": [ENTER, "42" + json.dumps(["ask_question", {"question": SKY}])],
    "asks a lot and goes": [ENTER, *["42" + json.dumps(["ask_question", {"question": SKY}])] * 5],
    "commands and goes": [
        *(ENTER, "42" + json.dumps(["ask_question", {"question": SKY}])),
        *('42["pause_explanation",{}]', '42["resume_explanation",{}]', '42["seek_explanation",{"step":2}]'),
    ],
}


async def throw(url: str, token: str, frames: list[Any], *, abort: bool) -> None:
    async with RawClient(url, token, enter=ENTER in frames) as client:
        await client.send(*(frame for frame in frames if frame is not ENTER))
        if abort:
            client.abort()
        else:
            # An answer to a WebSocket ping, or the end: until then the server has read what was sent.
            await client.served()


async def test_frames_outside_the_protocol_end_their_own_connection_alone(
    victim: Server, template: Template
) -> None:
    whole, log_before = stored_text(victim), len(victim.log)
    async with StudentClient(victim.url, template.student().token()) as good:
        await good.ask(SKY, context={"language": "es"}, speed=0.1)
        await good.until("content_chunk")
        baseline = await victim.counts()
        cases = 0
        for name, frames in FRAMES.items():
            student = template.student()
            await asyncio.gather(
                *(throw(victim.url, student.token(), frames, abort=abort) for abort in (False, True, True))
            )
            cases += 3
            try:
                await victim.settled(baseline, 1.5)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None
        await good.call("set_speed", speed=8)
        await good.until("explanation_complete")
        assert_prefix(good, whole)
        assert good.text == whole
    figure(f"{cases} connections of {len(FRAMES)} kinds")
    assert_clean(victim.log[log_before:])


def assert_clean(log: str) -> None:
    assert CANARY not in log
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
    assert not re.search(r"never retrieved|was destroyed|never awaited", log)


class Poller:
    """Long polling by hand."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/socket.io/?EIO=4&transport=polling"

    async def open(self, token: str | None = None) -> None:
        _, body = await self.request()
        self._url += "&sid=" + json.loads(body[1:])["sid"]
        await self.request(b"40" + (json.dumps({"token": token}).encode() if token else b""))
        await self.request()

    async def request(self, body: bytes | None = None, method: str | None = None) -> tuple[int, bytes]:
        def send() -> tuple[int, bytes]:
            asked = urllib.request.Request(self._url, data=body, method=method)
            asked.add_header("content-type", "text/plain;charset=UTF-8")
            try:
                with urllib.request.urlopen(asked, timeout=5) as response:
                    return response.status, response.read()
            except urllib.error.HTTPError as error:
                return error.code, error.read()

        return await asyncio.to_thread(send)


POSTS: dict[str, tuple[bytes, int]] = {
    "garbage": (CANARY.encode(), 400),
    "empty packet": (b"42[]\x1e\x1e42[]", 400),
    "nothing": (b"", 400),
    "not UTF-8": (b"\xff\xfe\xfd", 400),
    "type 0": (b"0{}", 400),
    "type 9": (b"9", 400),
    "deep ping": (b"2" + b"[" * 20000, 400),
    "JSONP": (b"d=" + CANARY.encode(), 400),
    "too many packets": (b"\x1e".join([b"3"] * 2000), 400),
    "too long": (b"42" + b"x" * 70_000, 400),
    "base64": (b"bAAAA", 200),
    "bad base64": (b"b!" + CANARY.encode(), 200),
    "empty message": (b"4", 200),
    "deep message": (b"4" + b"[" * 20000, 200),
    "JSON message": (b'4{"a":1}', 200),
    "null message": (b"4null", 200),
    "text message": (b'4"2"', 200),
    "deep event": (b"42" + b"[" * 20000, 200),
    "many events": (b"\x1e".join([b'42["get_session",{}]'] * 200), 200),
    "close": (b'42["get_session",{}]\x1e1', 200),
}


async def test_polling_requests_outside_the_protocol_end_their_own_connection_alone(
    victim: Server, template: Template
) -> None:
    log_before, baseline = len(victim.log), await victim.counts()
    for name, (body, status) in POSTS.items():
        poller = Poller(victim.url)
        await poller.open(template.student().token())
        poll = asyncio.create_task(poller.request())
        answered, _ = await poller.request(body)
        assert answered == status, name
        if status == 200 and name != "close":
            await poller.request(b"1")
        await poll
        for _ in range(3):  # what had still to be said, and the end
            if (await poller.request())[0] == 400:
                break
        else:
            raise AssertionError(f"{name}: still served")
        try:
            await victim.settled(baseline, 1.0)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await Poller(victim.url).request(b"", method))[0] == 405
    figure(f"{len(POSTS)} kinds of POST")
    assert_clean(victim.log[log_before:])
