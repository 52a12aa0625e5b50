"""Whatever students do over two processes, their text is the explanation's up to the playhead.

Holds I1 to I5 and I7 in the contract's terms over real sockets, on every event that arrives and after each
step: state built by events equals state that is asked for.
"""

import asyncio
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import astuple
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from streaming.protocol import Place
from tests.e2e.conftest import SKY
from tests.faults.conftest import SOAK
from tests.faults.pages import Page, Tab, Tale
from tests.figures import figure
from tests.model_server import ModelServer, Reply, answer
from tests.server import MakeCluster, Server, Student, Template

EXAMPLES, STEPS, STUDENTS = 60, 15, 60
MOVED_SECONDS = 1.5  # how long the connection that had a session may take to learn that it has it no more
WRITTEN = answer(steps=3, sentences=5)

TABS = st.integers(0, 1)
BACK = st.none() | st.sampled_from([0, 0, 3, 40, 10_000])  # None: the client doesn't say where it is
SPEEDS = st.sampled_from([0.5, 1.0, 1.0, 3.0, 8.0])
TWICE = st.sampled_from([False, False, True])


def as_told(written: str) -> Tale:
    """Return the tale of a model's answer: `at` of what is drawn is where the text stood."""
    steps = []
    for step in json.loads(written)["steps"]:
        content, commands = "", []
        for part in step["parts"]:
            if "say" in part:
                content += part["say"]
            else:
                commands.append({**part["do"], "at": len(content)})
        steps.append({**step, "content": content, "canvas_commands": commands})
    return Tale(steps)


class World:
    """What all examples share."""

    def __init__(self, servers: list[Server], students: list[Student], runner: asyncio.Runner) -> None:
        self.servers = servers
        self.students: Iterator[Student] = itertools.cycle(students)
        self.runner = runner
        (row,) = servers[0].rows("SELECT answer_steps FROM ai_answers WHERE question_text = ?", SKY)
        self.tales = {True: Tale(json.loads(row["answer_steps"])), False: as_told(WRITTEN)}
        self.unheard = (f"What is told in tale {number}?" for number in itertools.count())
        self.sessions = 0
        self.calls: Counter[str] = Counter()  # of the model, that each question may cost
        self.did: Counter[str] = Counter()


class StudentMachine(RuleBasedStateMachine):
    """One student with two tabs, which may each be on either process, and one session at a time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.student = next(world.students)
        self.tabs: list[Tab] = []
        self.holder: Tab | None = None  # the tab that plays, as far as the student knows
        self.story: list[str] = []

    # --- Asking and listening ----------------------------------------------------------------------

    @initialize(cached=st.booleans(), speed=SPEEDS)
    def begin(self, cached: bool, speed: float) -> None:
        self.do("begin", self._begin(cached, speed))

    async def _begin(self, cached: bool, speed: float) -> None:
        self.tabs = [await self._connected(process, Page(self.world.tales[True])) for process in (0, 1)]
        await self._ask(self.tabs[0], cached, speed, twice=False)

    @rule(tab=TABS, cached=st.booleans(), speed=SPEEDS, twice=TWICE)
    def ask(self, tab: int, cached: bool, speed: float, twice: bool) -> None:
        self.do("ask", self._ask(self.tabs[tab], cached, speed, twice), tab, cached, speed, twice)

    async def _ask(self, tab: Tab, cached: bool, speed: float, twice: bool) -> None:
        if self.holder not in (None, tab):
            await self._stop(tab)
        tale, question = self.world.tales[cached], SKY if cached else next(self.world.unheard)
        page = Page(tale)
        self.world.sessions += 1
        self.world.calls[question] += not cached

        def show(ack: dict[str, Any]) -> None:
            tab.page = page  # nothing of the one before comes behind this

        fields = {"question": question, "speed": speed, "request_id": str(self.world.sessions)}
        sent = [tab.told("ask_question", fields, show)]
        if twice:
            sent.append(tab.told("ask_question", fields))
        acks = [ack for ack, _ in await asyncio.gather(*sent)]
        assert all(ack == acks[0] for ack in acks), acks
        assert acks[0]["ok"], acks
        assert acks[0]["cached"] is cached
        self.session_id = acks[0]["session_id"]
        self.tale, self.page, self.holder, self.question = tale, page, tab, question

    @rule(more=st.sampled_from([1, 60, 150, 300]))
    def listen(self, more: int) -> None:
        self.do("listen", self._listen(more), more)

    async def _listen(self, more: int) -> None:
        if self.holder:
            enough = self.page.length + more
            await self.holder.until_page(lambda page: page.stands or page.length >= enough)

    # --- Commands ----------------------------------------------------------------------------------

    @rule(tab=TABS, back=BACK, twice=TWICE)
    def pause(self, tab: int, back: int | None, twice: bool) -> None:
        self.do("pause", self._pause(self.tabs[tab], back, twice), tab, back, twice)

    async def _pause(self, tab: Tab, back: int | None = None, twice: bool = False) -> None:
        already = self.page.paused if self.holder else None
        shown = None if back is None or tab is not self.holder else self.page.behind(back)
        acks = await self._commanded(tab, "pause_explanation", shown, twice)
        if self._refused(acks, "no_active_session"):
            await self._until_holder(lambda page: page.over)
            return
        await self._until_holder(lambda page: page.paused is not None)
        if self.holder:
            expected = already or (self.tale.floor(shown) if shown else self.page.place)
            if self.page.contents:
                assert self._place(acks[-1]) == self.page.place == expected
            # What left before the owner heard of it has arrived by now, and nothing has come behind it.
            assert self.page.paused == self._place(acks[-1])

    @rule(tab=TABS, back=BACK, speed=st.none() | SPEEDS, twice=TWICE)
    def resume(self, tab: int, back: int | None, speed: float | None, twice: bool) -> None:
        self.do("resume", self._resume(self.tabs[tab], back, speed, twice), tab, back, speed, twice)

    async def _resume(
        self, tab: Tab, back: int | None = None, speed: float | None = None, twice: bool = False
    ) -> None:
        before = self.holder
        if tab is not before and back is None:
            # Who comes without a place has asked for what there is; it must not play on meanwhile.
            await self._pause(tab)
            tab.coming = Page(self.tale, (await self._snapshot(tab))["steps"])
        elif tab is not before:
            tab.coming = self.page.copy()
        shown = None if back is None else self.page.behind(back)
        expected = (tab.coming or self.page).place if shown is None else self.tale.floor(shown)
        since = len(before.events) if before else 0
        playing = tab is before and not self.page.stands
        acks = await self._commanded(tab, "resume_explanation", shown, twice, speed)
        assert all(ack["ok"] for ack in acks), acks
        if shown or not playing:
            assert self._place(acks[0]) == expected
        if tab is not before:
            await tab.until_page(lambda _: tab.coming is None)
        self.holder, self.page = tab, tab.page
        if before and before is not tab:
            await self._has_moved(before, since)

    @rule(first=TABS, often=st.integers(0, 3))
    def contend(self, first: int, often: int) -> None:
        """Both tabs resume at once; one has it in the end."""
        if often == 3:
            self.do("contend", self._contend(first), first)

    async def _contend(self, first: int) -> None:
        tabs = [self.tabs[first], self.tabs[1 - first]]
        shown = self.page.place
        for tab in tabs:
            if tab is not self.holder:
                tab.coming = self.page.copy()
        sent = (self._commanded(tab, "resume_explanation", shown, False) for tab in tabs)
        for (ack,) in await asyncio.gather(*sent):
            assert ack["ok"], ack
        async with asyncio.timeout(MOVED_SECONDS):
            while True:
                here = [tab for tab in tabs if (await self._snapshot(tab))["playing_here"]]
                if len(here) == 1:
                    break
        self.holder, self.page = here[0], here[0].page
        assert not here[0].coming

    @rule(tab=TABS, step=st.integers(1, 5), part=st.floats(0, 1), twice=TWICE)
    def seek(self, tab: int, step: int, part: float, twice: bool) -> None:
        texts = self.tale.texts
        step = min(step, len(texts))
        to = Place(step, int(part * len(texts[step - 1])))
        self.do("seek", self._seek(self.tabs[tab], to, twice), tab, to, twice)

    async def _seek(self, tab: Tab, to: Place, twice: bool) -> None:
        held = self.page.place if self.page.contents else None
        since = len(self.holder.events) if self.holder else 0
        acks = await self._commanded(tab, "seek_explanation", to, twice)
        if not all(ack["ok"] for ack in acks):
            assert self.tale is self.world.tales[False], "all of it is there"
            assert held is None or to > held, "what was shown is there"
            assert {ack["error"]["code"] for ack in acks if not ack["ok"]} == {"invalid_position"}
        elif self.holder:
            assert {self._place(ack) for ack in acks} == {self.tale.floor(to)}
            await self.holder.until("explanation_seeked", since=since)

    @rule(tab=TABS, speed=SPEEDS)
    def set_speed(self, tab: int, speed: float) -> None:
        self.do("set_speed", self._set_speed(self.tabs[tab], speed), tab, speed)

    async def _set_speed(self, tab: Tab, speed: float) -> None:
        (ack,) = await self._commanded(tab, "set_speed", None, False, speed)
        assert ack["ok"], ack
        assert (await self._snapshot(tab))["speed"] == speed

    @rule(tab=TABS, often=st.integers(0, 2))
    def stop(self, tab: int, often: int) -> None:
        if often == 2:
            self.do("stop", self._stop(self.tabs[tab]), tab)

    async def _stop(self, tab: Tab) -> None:
        self._may_be_asked_again()
        (ack,) = await self._commanded(tab, "stop_explanation", None, False)
        assert ack["ok"], ack
        await self._until_holder(lambda page: page.over)

    # --- The network -------------------------------------------------------------------------------

    @rule(
        tab=TABS,
        process=st.integers(0, 1),
        word=st.sampled_from(["", "", "pause_explanation", "resume_explanation", "stop_explanation"]),
    )
    def drop(self, tab: int, process: int, word: str) -> None:
        """A connection ends, perhaps on a last word; its page comes back to either process."""
        self.do("drop", self._drop(tab, process, word), tab, process, word)

    async def _drop(self, number: int, process: int, word: str) -> None:
        lost = self.tabs[number]
        if word and lost is self.holder:  # of another it might come at any time later
            await lost.emit(word, session_id=self.session_id)
            self._may_be_asked_again()
        await lost.abandon()
        await lost._let_go()
        self._assert_no_faults()
        self.starts += lost.starts
        if lost is self.holder:
            self.holder = None
        self.tabs[number] = await self._connected(process, lost.page)

    # --- What must hold ----------------------------------------------------------------------------

    @invariant()
    def what_is_asked_for_is_what_events_have_built(self) -> None:
        self.do("", self._compare())

    async def _compare(self) -> None:
        for tab in self.tabs:
            stands = self.holder and self.holder.page.stands
            ack, page = await tab.told("get_session", {"session_id": self.session_id})
            session = ack["session"]
            assert session["playing_here"] is (tab is self.holder)
            for step, told in enumerate(session["steps"], 1):
                text = self.tale.texts[step - 1]
                assert told["content"] == (text[: session["position"]] if step == session["step"] else text)
            if tab is self.holder:
                assert not (wrong := page.differs(session)), f"{wrong}: {session}"
            elif stands:
                await self._until_holder(lambda page, told=session: not page.differs(told))
        self._assert_no_faults()

    def teardown(self) -> None:
        """At the end everybody has heard everything."""
        if self.tabs:
            try:
                if hasattr(self, "session_id") and not self.failed:
                    self.do("end", self._end())
            finally:
                self.world.runner.run(self._leave())

    async def _end(self) -> None:
        tab = self.holder or self.tabs[0]
        await self._resume(tab, 0, 8.0)
        await tab.until_page(lambda page: page.complete)
        assert list(tab.page.contents.values()) == self.tale.texts
        drawn = [len(step.commands) for step in self.tale.recording.steps]
        assert [len(board) for board in tab.page.boards.values()] == drawn
        await self._compare()
        starts = Counter(self.starts + [start for tab in self.tabs for start in tab.starts])
        assert set(starts.values()) <= {1}, "explanation_start comes once in a session"

    async def _leave(self) -> None:
        for tab in self.tabs:
            tab.faults.clear()
            await tab.__aexit__(None, None, None)

    # --- Help --------------------------------------------------------------------------------------

    starts: list[str] = []
    failed = False

    def do(self, name: str, work: Coroutine[Any, Any, None], *how: object) -> None:
        """Do one step; a failure tells the whole story, since it may not happen again."""
        if name:
            self.world.did[name] += 1
            self.story.append(f"{name}{how}")
        try:
            self.world.runner.run(work)
        except BaseException as error:
            self.failed = True
            for number, tab in enumerate(self.tabs):
                error.add_note(f"tab {number} at {tab.page.place}, faults {tab.faults}, heard:")
                for event in tab.events[-25:]:
                    error.add_note(f"  {event.at:.3f} {event.name} {event.data}")
            error.add_note("\n".join(self.story))
            raise

    async def _connected(self, process: int, page: Page) -> Tab:
        tab = Tab(self.world.servers[process].url, self.student.token(), page)
        return await tab.__aenter__()  # type: ignore[return-value]

    async def _commanded(
        self, tab: Tab, name: str, at: Place | None, twice: bool, speed: float | None = None
    ) -> list[dict[str, Any]]:
        fields: dict[str, Any] = {"session_id": self.session_id}
        if at:
            fields |= dict(zip(("step", "position"), astuple(at), strict=True))
        if speed:
            fields["speed"] = speed
        answers = await asyncio.gather(*(tab.told(name, fields) for _ in range(1 + twice)))
        return [ack for ack, _ in answers]

    async def _snapshot(self, tab: Tab) -> dict[str, Any]:
        ack, _ = await tab.told("get_session", {"session_id": self.session_id})
        return ack["session"]

    async def _has_moved(self, tab: Tab, since: int) -> None:
        heard = tab.events[since:]
        if not tab.page.over and not any(event.data.get("reason") == "moved" for event in heard):
            await tab.until("streaming_paused", since=since, seconds=MOVED_SECONDS, reason="moved")

    async def _until_holder(self, what: Any) -> None:
        if self.holder:
            await self.holder.until_page(what)

    def _may_be_asked_again(self) -> None:
        """What is stopped before its first word is not written on; who wants it after all asks anew."""
        if not self.page.contents:
            self.world.calls[self.question] += self.tale is self.world.tales[False]

    def _refused(self, acks: list[dict[str, Any]], code: str) -> bool:
        codes = {ack["error"]["code"] for ack in acks if not ack["ok"]}
        assert codes <= {code}, acks
        return bool(codes)

    def _place(self, ack: dict[str, Any]) -> Place:
        return Place(ack["step"], ack["position"])

    def _assert_no_faults(self) -> None:
        for tab in self.tabs:
            assert not tab.faults, tab.faults


def test_whatever_students_do_over_two_processes_their_text_is_the_explanations(
    cluster: MakeCluster, template: Template, model_server: ModelServer
) -> None:
    seed = int(os.environ.get("SEED", random.randrange(2**32) if SOAK > 1 else 0))
    model_server.script(Reply(WRITTEN, per_second=600))
    servers = cluster(2, CHUNK_SIZE=20, CHUNK_DELAY=0.01)
    with asyncio.Runner(debug=False) as runner:
        world = World(servers, [template.student() for _ in range(STUDENTS)], runner)
        run_state_machine_as_test(
            hypothesis.seed(seed)(lambda: StudentMachine(world)),
            settings=settings(
                max_examples=EXAMPLES * SOAK,
                stateful_step_count=STEPS,
                phases=[Phase.generate],  # a failure over real sockets is told once, whole, and not shrunk
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    (row,) = servers[0].rows("SELECT count(*) AS n FROM answers_listening")
    asked = (json.loads(request["messages"][1]["content"])["question"] for request in model_server.requests)
    assert Counter(asked) <= world.calls, "one question costs one call"
    assert row["n"] <= world.sessions, "one row for each session"
    steps = ", ".join(f"{count} {name}" for name, count in world.did.most_common())
    figure(f"machine: seed {seed}; {world.sessions} sessions, {model_server.calls} model calls; {steps}")
