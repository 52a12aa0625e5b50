"""Students whose pages notice whatever the contract forbids, over real sockets."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from answers.recording import Recording
from streaming import protocol
from streaming.protocol import Error, Event, ExplanationPaused, ExplanationStart, Place, StreamingResumed
from tests.client import WAIT, Heard, StudentClient
from tests.streaming.model_client import ModelClient, cuts_of

EVENTS: dict[str, type[Event]] = {
    kind.name: kind
    for kind in vars(protocol).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}
REFUSALS = ("invalid_position", "no_active_session")  # of a command, and not the end of an explanation


class Tale:
    """A finished explanation, as pages compare with it."""

    def __init__(self, steps: Sequence[dict[str, Any]]) -> None:
        self.recording = Recording.of(steps, 0.0, None, "")
        self.texts = [step["content"] for step in steps]

    def floor(self, at: Place) -> Place:
        """Return where a place becomes one: it may lie inside a cluster or a formula."""
        cuts = cuts_of(self.texts[at.step - 1])
        return Place(at.step, max(cut for cut in cuts if cut <= at.position))


class Page(ModelClient):
    """What one page shows; `shown`: what it was given by a snapshot."""

    def __init__(self, tale: Tale, shown: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(tale, shown)  # type: ignore[arg-type]

    @property
    def stands(self) -> bool:
        """Whether nothing comes before the next command."""
        return self.over or self.paused is not None

    @property
    def length(self) -> int:
        return sum(map(len, self.contents.values()))

    def copy(self) -> "Page":
        twin = super().copy()
        twin.__class__ = Page
        return twin  # type: ignore[return-value]

    def apply(self, event: Event) -> None:
        if isinstance(event, Error):
            assert event.code in REFUSALS
        elif not isinstance(event, ExplanationPaused):
            super().apply(event)
        elif self.paused:  # else a command that came later has overtaken it
            assert Place(event.step, event.position) == self.paused

    def behind(self, back: int) -> Place:
        """Return a place at or before the last character shown."""
        return Place(self.place.step, max(0, self.place.position - back))

    def differs(self, session: dict[str, Any]) -> str:
        """Return how a snapshot differs from what is shown here, if it does."""
        place = Place(session["step"], session["position"])
        if place != self.place and (place.position or self.place.position):
            return f"place {place}, here {self.place}"
        for step, told in enumerate(session["steps"], 1):
            if step < place.step or place.position:  # at 0 a step may still have to be opened
                if told["content"] != self.contents[step]:
                    return f"text of step {step}"
                if told["canvas_commands"] != self.boards[step]:
                    return f"board of step {step}"
        return ""


class Tab(StudentClient):
    """A connection and the page that it fills; `coming` is shown from the next resume on."""

    def __init__(self, url: str, token: str, page: Page) -> None:
        super().__init__(url, token)
        self.page = page
        self.coming: Page | None = None
        self.starts: list[str] = []

    def hear(self, name: str, data: Any) -> None:
        self.events.append(Heard(name, data, time.monotonic()))
        if name in EVENTS:
            event = EVENTS[name](**data)
            if isinstance(event, StreamingResumed) and self.coming:
                self.page, self.coming = self.coming, None
            elif isinstance(event, ExplanationStart):
                self.starts.append(event.session_id)
            try:
                self.page.apply(event)
            except (AssertionError, LookupError) as error:
                self.faults.append(f"{event}: {error!r}")
        self._changed.set()

    async def told(
        self, name: str, fields: dict[str, Any], then: Callable[[dict[str, Any]], None] = lambda ack: None
    ) -> tuple[dict[str, Any], Page]:
        """Send an event; return its acknowledgement, and the page as it was when that came."""
        answered: asyncio.Future[tuple[dict[str, Any], Page]] = asyncio.get_running_loop().create_future()

        def take(ack: dict[str, Any]) -> None:
            then(ack)
            answered.set_result((ack, self.page.copy()))

        await self.socket.emit(name, fields, callback=take)
        return await asyncio.wait_for(answered, WAIT)

    async def until_page(self, what: Callable[[Page], bool], seconds: float = WAIT) -> None:
        """Wait until the page is as it is wanted."""
        try:
            async with asyncio.timeout(seconds):
                while not what(self.page):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"the page stays at {self.page.place}: {self.names[-12:]}") from None
