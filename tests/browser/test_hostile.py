"""Whatever an answer, a question or an error says: the page shows it, and runs and loads nothing."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import WebSocketRoute

from tests.browser.answers import PLAIN, answer, step, text
from tests.browser.conftest import BROWSER, MakeDevice
from tests.browser.payloads import PAYLOADS
from tests.browser.tab import Tab, squeezed
from tests.figures import figure
from tests.js.test_js_clients import import_answers
from tests.server import Server

pytestmark = BROWSER

STEPS = 25  # of one answer
HOSTILE = "¿Qué dice la prueba número {}?"

# What no content may bring into the page.
SMUGGLED = """() => {
  const content = ["#asked", "#steps", "#board", "#error", "#banner", "#live", "#library", "#examples"];
  const forbidden = "script, iframe, object, embed, frame, frameset, base, link, meta, style, form, input, "
    + "textarea, video, audio, source, picture, image, a[href], img, area, map, template, portal, marquee, "
    + "dialog, details, [srcdoc], [formaction], [ping], [popover], [contenteditable], [autofocus]";
  const ours = "#library > dialog";
  const found = [];
  for (const part of document.querySelectorAll(content.join())) {
    for (const one of part.querySelectorAll("*")) {
      const bad = one.matches(forbidden) && !one.matches(ours)
        || [...one.attributes].some(({ name, value }) =>
          /^on/i.test(name) || /href|src|action|^data$|poster|ping/i.test(name) && !/^#/.test(value)
          || name === "style" && /url\\(/i.test(value));
      if (bad) found.push(one.outerHTML.slice(0, 200));
    }
  }
  if (window.pwned !== undefined) found.push("a script has run");
  return found;
}"""


def hostile_answers(payloads: list[str]) -> Iterator[dict[str, Any]]:
    """Yield answers that have each payload in every place that takes it."""
    for number, batch in enumerate(_batches(payloads, STEPS)):
        yield answer(
            HOSTILE.format(number),
            *(hostile_step(index, payload) for index, payload in enumerate(batch)),
        )


def _batches(payloads: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(payloads), size):
        yield payloads[start : start + size]


def hostile_step(index: int, payload: str) -> dict[str, Any]:
    line = " ".join(payload.split()) or "x"
    short = line[:80]
    formula = line.strip("$")[:400] or "x"
    x, y = 60 + 120 * (index % 10), 40 + 200 * (index // 10)
    return step(
        line[:200],
        {**text(f"t{index}", line[:500], x, y), "alt": line[:200]},
        f"{payload}\n\n",
        {"op": "math", "id": f"m{index}", "tex": formula, "x": x, "y": y + 60},
        f"- *{line}*\n- `{line}`\n\n$${formula[:290]}$$\n\n",
        {"op": "shape", "id": f"s{index}", "form": "rect", "x": x, "y": y, "w": 90, "h": 40, "label": short},
        {"op": "table", "id": f"b{index}", "rows": [[short, line[:120]]], "head": True, "x": x, "y": y + 90},
        f"Fin de {index}.",
    )


async def shows_all(tab: Tab, question: str) -> None:
    await tab.ask(question)
    await tab.until_received("explanation_start")
    await tab.page.evaluate("document.querySelector('#show-all').click()")  # a short one may be over
    await tab.enters("complete", seconds=20)


async def is_unharmed(tab: Tab) -> None:
    """Nothing runs, nothing is loaded, and nothing lies over the controls."""
    assert not (found := await tab.page.evaluate(SMUGGLED)), found[:5]
    assert await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await tab.page.click("#toggle", trial=True, timeout=3000)
    await tab.page.click("#ask button.primary", trial=True, timeout=3000)


@pytest.fixture(scope="module")
def hostile_site(site: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    file = tmp_path_factory.mktemp("hostile") / "answers.jsonl"
    file.write_text("\n".join(map(json.dumps, hostile_answers(PAYLOADS))))
    import_answers(site, file)
    return site


async def test_hostile_answers_show_as_text(devices: MakeDevice, hostile_site: Server) -> None:
    assert len(PAYLOADS) >= 200
    figure(f"browser: {len(PAYLOADS)} hostile payloads, each in seven places")
    tab = await (await devices()).tab()
    for number in range(-(-len(PAYLOADS) // STEPS)):
        tab.received.clear()
        await shows_all(tab, HOSTILE.format(number))
        batch = PAYLOADS[number * STEPS : (number + 1) * STEPS]
        titles = await tab.titles()
        expected = [squeezed(" ".join(payload.split())[:200] or "x") for payload in batch]
        assert [squeezed(title) for title in titles.values()] == expected
        shown = await tab.shown()
        for index, _ in enumerate(batch):
            assert f"Fin de {index}." in shown[index + 1]
        await is_unharmed(tab)


async def test_elements_show_as_they_were_written(devices: MakeDevice, hostile_site: Server) -> None:
    tab = await (await devices()).tab()
    await shows_all(tab, HOSTILE.format(0))
    shown = await tab.shown()
    for index, payload in enumerate(PAYLOADS[:STEPS]):
        unmarked = re.sub(r"\s+", "", payload)
        assert unmarked in re.sub(r"\s+", "", shown[index + 1]), payload


async def test_hostile_questions_show_as_text(devices: MakeDevice, site: Server, tmp_path: Path) -> None:
    """In the heading, among what was asked before, and after a reload."""
    asked = [f"¿{' '.join(payload.split())} {n}?" for n, payload in enumerate(PAYLOADS[::9])]
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(json.dumps(answer(question, step("Uno", "Bien."))) for question in asked))
    import_answers(site, file)
    tab = await (await devices()).tab()
    for question in asked:
        tab.received.clear()
        await shows_all(tab, question)
        assert await tab.page.locator("#asked").text_content() == question
    await tab.page.click("#library-toggle")
    await tab.page.locator("#library li").first.wait_for()
    await is_unharmed_behind_the_library(tab)
    await tab.page.reload()
    await tab.until("() => document.querySelector('#asked').textContent")
    await is_unharmed(tab)


async def is_unharmed_behind_the_library(tab: Tab) -> None:
    assert not (found := await tab.page.evaluate(SMUGGLED)), found[:5]
    await tab.page.keyboard.press("Escape")


async def test_a_server_gone_mad_does_no_harm(devices: MakeDevice) -> None:
    """Errors, phrases and commands that no server of ours sends: shown as text, or by their `alt`."""
    device = await devices()
    tab = await device.tab(None)
    browsers: list[WebSocketRoute] = []

    def join(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(route.send)
        route.on_message(server.send)
        browsers.append(route)

    await tab.page.route_web_socket(re.compile("/socket.io/"), join)
    await tab.open("/")
    await tab.enters("idle")
    await tab.ask(PLAIN, speed=0.5)
    await tab.until_shown(1, 2)

    def send(name: str, data: dict[str, Any]) -> None:
        browsers[-1].send(f"42{json.dumps([name, data])}")

    for payload in PAYLOADS[:60]:
        send("error", {"code": "internal_error", "message": payload})
        await tab.until(
            "(message) => document.querySelector('#error').textContent.includes(message)", payload.strip()
        )
    assert not (found := await tab.page.evaluate(SMUGGLED)), found[:5]

    for n, command in enumerate(_bombs()):
        send("canvas_command", {"step": 1, "command": command, "n": n, "at": 0})
    send("unheard_of", {"x": 1})
    await tab.until("() => document.querySelector('#board').textContent.includes('un dibujo del futuro')")
    assert not (found := await tab.page.evaluate(SMUGGLED)), found[:5]
    await tab.page.click("#toggle", timeout=3000)


def _bombs() -> Iterator[dict[str, Any]]:
    far = [[1e6 * (-1) ** n, 1e6 * (-1) ** (n // 2)] for n in range(64)]
    yield {"op": "hologram", "id": "future", "alt": "un dibujo del futuro", "x": 1, "y": 1}
    yield {"op": "__proto__", "id": "constructor", "alt": "<img src=x onerror=alert(1)>"}
    yield {"op": "shape", "id": "huge", "form": "polygon", "points": far, "fill": "ink"}
    yield {"op": "shape", "id": "nan", "form": "rect", "x": None, "y": "a", "w": -1, "h": 1e308}
    yield {
        "op": "shape",
        "id": "url",
        "form": "rect",
        "x": 1,
        "y": 1,
        "w": 9,
        "h": 9,
        "fill": "url(https://evil.example/x)",
    }
    yield {"op": "text", "id": "long", "text": "x" * 100_000, "x": 0, "y": 0, "size": "<b>"}
    yield {
        "op": "text",
        "id": "t",
        "text": "<img src=x onerror=alert(1)>",
        "place": {"ref": "t", "side": "above"},
    }
    yield {"op": "math", "id": "m", "tex": "\\rule{1e6em}{1e6em}", "x": 0, "y": 0}
    yield {
        "op": "axes",
        "id": "a",
        "x": 0,
        "y": 0,
        "w": 100,
        "h": 100,
        "xr": [0, 1e9],
        "yr": [0, 1e-9],
        "xt": 1e-9,
    }
    yield {"op": "plot", "id": "p", "in": "a", "points": [[0, None], None, ["x", 1], [1e300, -1e300]] * 500}
    yield {"op": "plot", "id": "q", "in": "nowhere", "points": [[0, 0]], "fill_to": "q"}
    yield {"op": "line", "id": "l", "from": "l", "to": "l", "arrow": "both"}
    yield {"op": "table", "id": "b", "rows": [["<script>alert(1)</script>"] * 50] * 200, "x": 0, "y": 0}
    yield {
        "op": "image",
        "id": "i",
        "asset": "https://evil.example/x.png",
        "x": 0,
        "y": 0,
        "w": 1,
        "h": 1,
        "alt": "x",
    }
    yield {"op": "camera", "fit": ["huge", "nowhere"]}
    yield {"op": "camera", "x": 1e6, "y": -1e6, "w": 1e-9}
    yield {"op": "focus", "ids": ["__proto__", "huge"], "how": "spotlight"}
    yield {"op": "erase", "ids": "huge"}
    for n in range(300):
        yield {"op": "text", "id": f"x{n}", "text": "x", "x": n, "y": n}
