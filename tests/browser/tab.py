"""A student's browser and its tabs with the page: what they show, what they may never do."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Error, Page, Request, WebSocket

WAIT = 10.0  # seconds after which a test that waits has failed
EVENT = re.compile(r"42(\[.*)", re.DOTALL)

# What stands on the page, formulas by their source: [[step, title, text], …].
SHOWN = """() => {
  const hidden = (element) => ["display", "visibility"].some(
    (name) => ["none", "hidden"].includes(getComputedStyle(element)[name]));
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeType !== Node.ELEMENT_NODE || hidden(node)) return "";
    return node.dataset.source ?? [...node.childNodes].map(read).join("");
  };
  return [...document.querySelectorAll("#steps > li.step")].filter((step) => !hidden(step)).map((step) => {
    const [title, text] = [".step-title", ".step-text"].map((part) => read(step.querySelector(part)));
    return [Number(step.dataset.step), title, text];
  });
}"""
# What is drawn, to the pixel: [[id, label, text, x, y, width, height], …]. Coordinates are the board's own.
BOARD = """() => {
  const board = document.querySelector("#board");
  const frame = board.getBoundingClientRect();
  const drawn = [...board.querySelectorAll("[data-id]")];
  return drawn.filter((one) => one.checkVisibility({ visibilityProperty: true })).map((one) => {
    const box = one.getBoundingClientRect();
    const place = [box.x - frame.x, box.y - frame.y, box.width, box.height].map(Math.round);
    return [one.dataset.id, one.getAttribute("aria-label"), one.textContent, ...place];
  });
}"""
RECORD = """() => {
  window.framesShown = [];
  const record = () => {
    const shown = (%s)(), drawn = JSON.stringify((%s)());
    const known = window.framesShown.at(-1), text = JSON.stringify(shown);
    if (known?.text !== text || known.drawn !== drawn) window.framesShown.push({ shown, text, drawn });
    requestAnimationFrame(record);
  };
  record();
}""" % (SHOWN, BOARD)  # noqa: UP031
SUMMARY = """() => JSON.stringify({
  state: document.querySelector("main")?.dataset.state,
  said: ["#banner", "#error", "#live"].map((id) => document.querySelector(id)?.textContent.trim()),
  focus: document.activeElement?.outerHTML.slice(0, 80),
  kept: { ...sessionStorage },
})"""

T = TypeVar("T")
Shown = dict[int, str]


def squeezed(text: str) -> str:
    """Return a text without white space and without the marks of Markdown, which are not shown."""
    unlisted = re.sub(r"^[ \t]*(?:[-+*]|\d+[.)])[ \t]+", "", text, flags=re.MULTILINE)
    return re.sub(r"[\s*_`#>|\\~]+", "", unlisted)


def joined(shown: Shown) -> str:
    """Return all that is shown as one text that can be compared with another."""
    return "\0".join(squeezed(shown[step]) for step in sorted(shown))


async def eventually(find: Callable[[], T], otherwise: str, *, seconds: float = WAIT) -> T:
    """Return the first true thing that `find` finds."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                if found := find():
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(otherwise) from None


@dataclass(frozen=True)
class Received:
    """One event of the server as the browser received it."""

    name: str
    data: dict[str, Any]


class Tab:
    """One tab; `device` says what the browser did that no page of ours may do."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.received: list[Received] = []
        page.on("websocket", self._listen)

    async def open(self, path: str = "/") -> "Tab":
        await self.page.goto(self.url + path)
        return self

    # --- What is shown -------------------------------------------------------------------------------

    async def state(self) -> str:
        return await self.page.evaluate("document.querySelector('main').dataset.state")

    async def shown(self) -> Shown:
        return {step: text for step, _, text in await self.page.evaluate(SHOWN)}

    async def titles(self) -> dict[int, str]:
        return {step: title for step, title, _ in await self.page.evaluate(SHOWN)}

    async def board(self) -> list[list[Any]]:
        return await self.page.evaluate(BOARD)

    async def record(self) -> None:
        """Take down from now on what each frame shows."""
        await self.page.evaluate(RECORD)

    async def recorded(self) -> list[tuple[str, list[list[Any]]]]:
        """Return the text and the board of each frame that showed something new."""
        frames = await self.page.evaluate("window.framesShown")
        return [
            (joined({step: text for step, _, text in frame["shown"]}), json.loads(frame["drawn"]))
            for frame in frames
        ]

    async def visible(self, selector: str) -> bool:
        return await self.page.locator(selector).is_visible()

    async def text(self, selector: str) -> str:
        return " ".join((await self.page.locator(selector).inner_text()).split())

    def held(self) -> int:
        """Return how many characters of the present explanation have been received."""
        lengths: dict[int, int] = {}
        for event in self.received:
            if event.name == "explanation_start":
                lengths = {}
            elif event.name == "content_chunk":
                data = event.data
                lengths[data["step"]] = data["position"] + len(data["chunk"])
        return sum(lengths.values())

    # --- Waiting -------------------------------------------------------------------------------------

    async def until(self, condition: str, argument: Any = None, *, seconds: float = WAIT) -> Any:
        """Wait until a function of the page returns something true; return it."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        if result := await self.page.evaluate(condition, argument):
                            return result
                    except Error as error:
                        if "navigation" not in error.message:
                            raise
                    await asyncio.sleep(0.02)
        except TimeoutError:
            summary = await self.page.evaluate(SUMMARY)
            lengths = {step: len(text) for step, text in (await self.shown()).items()}
            told = f"{condition} {argument or ''}: not within {seconds} s; {lengths} {summary}"
        raise AssertionError(f"{told}\n{[event.name for event in self.received[-12:]]}")

    async def enters(self, *states: str, seconds: float = WAIT) -> str:
        condition = (
            "(states) => [document.querySelector('main').dataset.state].find((one) => states.includes(one))"
        )
        return await self.until(condition, list(states), seconds=seconds)

    async def is_set(self) -> None:
        """Wait until Markdown is set: before, the text stands there as it was written, without sentences."""
        await self.until("() => document.querySelector('.step-text:not(.plain)')")

    async def appears(self, selector: str, *, seconds: float = WAIT) -> None:
        await self.until("(it) => document.querySelector(it)?.checkVisibility()", selector, seconds=seconds)

    async def disappears(self, selector: str, *, seconds: float = WAIT) -> None:
        await self.until("(it) => !document.querySelector(it)?.checkVisibility()", selector, seconds=seconds)

    async def until_shown(self, step: int, characters: int = 1, *, seconds: float = WAIT) -> Shown:
        """Wait until so much of a step is shown."""
        condition = (
            f"([step, least]) => ({SHOWN})().some(([n, , text]) => n === step && [...text].length >= least)"
        )
        await self.until(condition, [step, characters], seconds=seconds)
        return await self.shown()

    async def until_more(self, than: Shown, *, seconds: float = WAIT) -> Shown:
        """Wait until more is shown than before."""
        count = sum(len(text) for text in than.values())
        condition = f"(count) => ({SHOWN})().reduce((sum, [, , text]) => sum + [...text].length, 0) > count"
        await self.until(condition, count, seconds=seconds)
        return await self.shown()

    async def until_received(self, name: str, *, since: int = 0, seconds: float = WAIT) -> dict[str, Any]:
        """Return the first such event from the `since`-th on, come or to come."""

        def find() -> list[Received]:
            return [event for event in self.received[since:] if event.name == name]

        return (await eventually(find, f"no {name}", seconds=seconds))[0].data

    # --- What a student does -------------------------------------------------------------------------

    async def ask(self, question: str, *, speed: float | None = None) -> None:
        await self.page.fill("#question", question)
        await self.page.press("#question", "Enter")
        if speed is not None:
            await self.set_speed(speed)

    async def set_speed(self, speed: float) -> None:
        await self.enters("waiting", "playing", "paused", "complete", "stopped")
        await self.page.select_option("#speed", f"{speed:g}")

    async def toggle(self, state: str) -> None:
        await self.page.click("#toggle")
        await self.enters(state)

    async def seek(self, thousandth: int) -> None:
        """Move the handle of the seek bar, as a hand does."""
        move = """(bar, value) => {
          bar.value = value;
          for (const kind of ["input", "change"]) bar.dispatchEvent(new Event(kind, { bubbles: true }));
        }"""
        await self.page.locator("#seek").evaluate(move, str(thousandth))
        await self.page.evaluate(
            "new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))"
        )

    async def hide(self, hidden: bool = True) -> None:
        """Tell the page that the student looks elsewhere: headless Chromium never does."""
        await self.page.evaluate(
            """(hidden) => {
              const now = { hidden, visibilityState: hidden ? "hidden" : "visible" };
              for (const [name, value] of Object.entries(now))
                Object.defineProperty(document, name, { configurable: true, get: () => value });
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    def _listen(self, socket: WebSocket) -> None:
        def hear(payload: str | bytes) -> None:
            if isinstance(payload, str) and (event := EVENT.fullmatch(payload)):
                name, *data = json.loads(event[1])
                self.received.append(Received(name, data[0] if data else {}))

        socket.on("framereceived", hear)


class Device:
    """A browser of its own, in which one student is signed in; its tabs share cookies and storage."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.faults: list[str] = []  # what no page of ours may ever do
        context.on("request", self._request)
        context.on("dialog", self._dialog)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))

    async def tab(self, path: str | None = "/") -> Tab:
        tab = Tab(await self.context.new_page(), self.url)
        return await tab.open(path) if path is not None else tab

    async def offline(self, offline: bool = True) -> None:
        await self.context.set_offline(offline)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url + "/", "data:", "blob:")):
            self.faults.append(f"request: {request.url}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        try:
            await dialog.dismiss()
        except Error:
            return  # the page has gone with its dialog

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.faults.append(f"console: {message.text}")


def drawn_ids(board: Iterable[list[Any]]) -> set[str]:
    return {one[0] for one in board}
