"""Whatever a client sends: the server lives, each event is answered once with a code, nobody else notices."""

import itertools
import logging
import random
import resource
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from accounts.tokens import access_token
from tests.client import RawClient, StudentClient
from tests.e2e.conftest import SKY, stored_text
from tests.e2e.test_input import CANARY, FRAMES, JUNK, MALFORMED, VALID, assert_clean, deep, mutated, throw
from tests.faults.conftest import SOAK
from tests.figures import figure
from tests.in_process import TOLD, InProcessStudent, make_stage
from tests.server import Server, Template

IN_PROCESS, OVER_THE_WIRE = 5000 * SOAK, 1000 * SOAK  # the latter on each server
FLAT = 24 * 2**20  # bytes that a process may grow by while it plays sessions and keeps their records
NAMES = ["", "*", "\0", "\ud800", "x" * 5000, "__class__", "connect", "disconnect", "session.command", CANARY]
NAMES += ["session_command", "socketio.event", "ASK_QUESTION", "work", "leave", "error", "content_chunk"]
HUGE_ACK = 10**90
HUGE: list[Any] = ["x" * 2**20, deep(3000), [CANARY] * 50_000, {f"{CANARY}{n}": n for n in range(5000)}]


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def spoilt(chance: random.Random) -> tuple[str, list[Any] | None]:
    """Return an event of ours with something wrong in it, or nothing; None for a packet that is no event."""
    name, payload = chance.choice(VALID)
    payload = {key: value for key, value in payload.items() if chance.random() < 0.7}
    for _ in range(chance.randint(0, 2)):
        key = chance.choice([*payload, "extra", "about", "position", "request_id"])
        value = payload.get(key)
        value = value if isinstance(value, str | int | float) else 7
        payload[key] = chance.choice([*JUNK, str(value), [value], {key: value}, chance.choice(HUGE[:2])])
    match chance.randrange(12):
        case 0:
            return name, None
        case 1:
            return chance.choice(NAMES), [payload]
        case 2:
            return name, chance.choice([[], [payload, payload], [chance.choice(JUNK)], [chance.choice(HUGE)]])
        case 3:
            return name, [{**payload, "token": chance.choice(JUNK)}]
    return name, [payload]


@pytest.mark.django_db(transaction=True)
async def test_five_thousand_spoilt_events_in_process(
    student: User, caplog: pytest.LogCaptureFixture
) -> None:
    seed = random.randrange(2**32)
    figure(f"seed {seed}")
    other = await User.objects.acreate(email="other@school.example")
    chance, codes, before = random.Random(seed), dict[str, int](), 0
    stage, token = make_stage(events_per_second=1_000_000), access_token(student)
    caplog.set_level(logging.INFO)
    async with (
        InProcessStudent(stage, access_token(other), "good") as good,
        InProcessStudent(stage, token, "bad") as bad,
    ):
        await bad.call("get_session")  # the connection's own token: what comes may be without one
        await good.call("ask_question", question="¿Qué es una fuerza?", speed=0.005)
        await good.until("content_chunk")
        for number in range(IN_PROCESS):
            heard = len(bad.events)
            event = spoilt(chance)
            answer = await bad.send(*event)
            errors = [payload for name, payload in bad.events[heard:] if name == "error"]
            assert errors == ([] if answer["ok"] else [answer["error"]]), event
            code = "ok" if answer["ok"] else answer["error"]["code"]
            assert code != "internal_error", event
            codes[code] = codes.get(code, 0) + 1
            del bad.events[:]
            if number == IN_PROCESS // 5:
                before = resident()
        grown = resident() - before
        await good.call("set_speed", speed=8)
        await good.until("explanation_complete")
        assert "".join(good.text.values()) == "".join(piece.text for piece in TOLD if hasattr(piece, "text"))
        assert good.names.count("explanation_start") == 1 and "error" not in good.names
    figure(f"{IN_PROCESS} events in process: {codes}; the last four fifths took {grown / 2**20:.1f} MiB")
    assert grown < FLAT
    assert CANARY not in caplog.text


async def batch(client: RawClient, chance: random.Random, number: int) -> int:
    """Send a dozen spoilt events at once; each is answered once. Return how many were refused."""
    heard, expected, acks = len(client.events), list[int | None](), range(number, number + 12)
    for ack in acks:
        if chance.random() < 0.15:
            packet = chance.choice(list(MALFORMED.values()))
            if chance.random() < 0.3:  # what its attachment would be
                await client.send("4" + packet, chance.randbytes(chance.randint(0, 300)))
            else:
                await client.send("4" + packet)
            expected.append(None)
            continue
        event = mutated(chance)
        while not event.startswith("["):  # else the number before it might become another
            event = mutated(chance)
        await client.send(f"42{HUGE_ACK + ack}{event}")
        expected.append(HUGE_ACK + ack)
    await client.call("get_session", {"session_id": "none"}, ack=acks.stop)
    refusals = []
    for ack in expected:
        if ack is None:
            refusals.append("invalid_payload")
        elif not (answer := (await client.acknowledged(ack))[0])["ok"]:
            refusals.append(answer["error"]["code"])
    codes = [event.data["code"] for event in client.events[heard:] if event.name == "error"]
    # What became of an ask that was accepted is no answer to it.
    assert [code for code in codes if not code.startswith("ai_")] == refusals
    assert "internal_error" not in codes
    return len(refusals)


def noise(chance: random.Random) -> list[Any]:
    """Return frames, with or without CONNECT before them, that end a connection or mean nothing."""
    frames = [frame for case in chance.sample(sorted(FRAMES), 3) for frame in FRAMES[case]]
    frames.append(chance.choice([chance.randbytes(200), chance.randbytes(80_000), "42" + "x" * 2**20, "4"]))
    chance.shuffle(frames)
    return frames[:12]


async def test_two_thousand_spoilt_frames_over_the_wire(server: Server, template: Template) -> None:
    seed, whole = random.randrange(2**32), stored_text(server)
    figure(f"{server.kind}: seed {seed}")
    chance, log_before = random.Random(seed), len(server.log)
    async with StudentClient(server.url, template.student().token()) as good:
        await good.ask(SKY, context={"language": "es"}, speed=0.05)
        await good.until("content_chunk")
        baseline, refused, before = await server.counts(), 0, 0
        async with RawClient(server.url, template.student().token()) as bad:
            for number in range(0, OVER_THE_WIRE * 4 // 5, 12):
                refused += await batch(bad, chance, 13 * number)
                if not before and number > OVER_THE_WIRE // 5:
                    before = (await server.weights())["resident"]
            await bad.call("stop_explanation", {}, ack=1)
        grown = (await server.weights())["resident"] - before
        thrown = 0
        while thrown < OVER_THE_WIRE // 5:
            frames = noise(chance)
            await throw(server.url, template.student().token(), frames, abort=chance.random() < 0.5)
            thrown += len(frames)
        await server.settled(baseline, 5)
        times = [event.at for event in good.events if event.name == "content_chunk"]
        await good.call("set_speed", speed=8)
        await good.until("explanation_complete")
        assert good.text == whole
        assert "error" not in good.names
    gap = max(later - earlier for earlier, later in itertools.pairwise(times))
    figure(
        f"{server.kind}: {OVER_THE_WIRE} spoilt frames, {refused} events refused; "
        f"{grown / 2**20:.1f} MiB more; another student's chunks, due each 0.5 s, at most {gap:.2f} s apart"
    )
    assert grown < FLAT
    assert gap < 2
    assert_clean(server.log[log_before:])
