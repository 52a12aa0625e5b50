"""The page by keyboard, by ear, small, dark, and in each language."""

import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from answers.spoken import spoken_text
from streaming.page_words import WORDS
from tests.browser.answers import CURVE, EMPTY_BOARD, EQUATION, PLAIN
from tests.browser.conftest import BROWSER, MakeDevice, whole
from tests.browser.tab import Tab, joined
from tests.model_server import ModelServer, Reply, answer
from tests.server import ROOT, Server

pytestmark = BROWSER

AXE = ROOT / "tests" / "js" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 360, "height": 740}
QUESTIONS = {"es": EQUATION, "en": CURVE, "pt": EMPTY_BOARD}
# In the order of the Tab key, from the top of the page.
FOCUSED = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const ringed = outlined || style.boxShadow !== "none";
  return [one.id || one.closest("[id]")?.id || one.tagName, ringed];
}"""


async def violations(tab: Tab, where: str) -> list[str]:
    """Return what axe finds wrong with the page as it is."""
    if not await tab.page.evaluate("typeof axe === 'object'"):
        await tab.page.evaluate(AXE.read_text())
    found = await tab.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{where}: {one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def states(tab: Tab, model_server: ModelServer, look: Callable[[str], Awaitable[None]]) -> None:
    """Lead a page through everything that it can show."""
    await tab.enters("idle")
    await look("idle")
    await tab.page.click("#library-toggle")
    await tab.appears("#library")
    await look("library empty")
    await tab.page.keyboard.press("Escape")
    await tab.disappears("#library")

    model_server.script(Reply(answer(2), hold_at=0))
    await tab.ask(f"¿Qué dice el libro de la página {os.urandom(4).hex()}?")
    await tab.enters("waiting")
    await tab.until_received("waiting_phrase")
    await look("waiting")
    await tab.page.click("#stop")
    await tab.enters("stopped")
    await look("stopped")
    model_server.release()

    await tab.ask(EQUATION, speed=4)
    await tab.until_shown(2, 20)
    await look("playing")
    await tab.toggle("paused")
    await look("paused")
    await tab.page.click("#not-followed")
    await tab.appears("#follow-up")
    await look("follow-up")
    await tab.page.keyboard.press("Escape")
    await tab.disappears("#follow-up")
    await tab.page.click("#show-all")
    await tab.enters("complete")
    await tab.is_set()
    await look("complete")
    await tab.page.locator(".step-text").first.click(position={"x": 20, "y": 10})
    await tab.appears("#sentence-menu")
    await look("sentence menu")
    await tab.page.keyboard.press("Escape")
    await tab.disappears("#sentence-menu")
    await tab.page.click("#library-toggle")
    await tab.page.locator("#library").get_by_text(EQUATION).first.wait_for()
    await look("library")
    await tab.page.keyboard.press("Escape")
    await tab.disappears("#library")
    await tab.ask("¿?")
    await tab.until("() => document.querySelector('#error').textContent.trim()")
    await look("error")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {}),
        ("phone-dark", {"viewport": PHONE, "color_scheme": "dark", "has_touch": True, "is_mobile": True}),
    ],
)
async def test_no_state_violates_what_axe_checks(
    devices: MakeDevice, model_server: ModelServer, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    """Each state is also photographed, into SCREENSHOTS if that is set, and none is wider than the screen."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    tab = await (await devices(**options)).tab()
    found: list[str] = []

    async def look(state: str) -> None:
        await tab.page.screenshot(path=folder / f"{name}-{state.replace(' ', '-')}.png")
        found.extend(await violations(tab, state))
        too_wide = await tab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, f"{state}: {too_wide} px wider than the screen"

    await states(tab, model_server, look)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
async def test_the_way_in_violates_nothing(devices: MakeDevice, color_scheme: str) -> None:
    tab = await (await devices(student=None, color_scheme=color_scheme)).tab("/login/")
    assert not (found := await violations(tab, "login")), "\n".join(found)


async def test_at_twice_the_size_nothing_is_cut_off(devices: MakeDevice) -> None:
    tab = await (await devices(viewport={"width": 640, "height": 400}, device_scale_factor=2)).tab()
    await tab.ask(EQUATION, speed=4)
    await tab.until_shown(2, 20)
    await tab.toggle("paused")
    assert await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in ("toggle", "seek", "speed", "stop", "next", "previous", "show-all", "read-aloud"):
        await tab.page.click(f"#{control}", trial=True)


async def test_everything_can_be_done_by_keyboard(devices: MakeDevice, site: Server) -> None:
    tab = await (await devices()).tab()
    keyboard = tab.page.keyboard
    reached = await tab_through(tab, "question")
    await keyboard.insert_text("¿Qué hace")
    await keyboard.press("Shift+Enter")
    await keyboard.insert_text("el corazón?")
    await keyboard.press("Enter")
    await tab.until_shown(1, 5)

    reached = await tab_through(tab, "toggle")
    await keyboard.press(" ")
    await tab.enters("paused")
    held = await tab.shown()
    await keyboard.press("Shift+ArrowRight")  # the next step
    await tab.until_shown(2, 0)
    await keyboard.press("Shift+ArrowLeft")
    await keyboard.press("+")
    await tab.until("() => document.querySelector('#speed').value > 1")
    await keyboard.press("-")
    await tab.until("() => document.querySelector('#speed').value === '1'")
    await keyboard.press("ArrowRight")  # a sentence further
    await tab.until_more(held)
    await keyboard.press(" ")
    await tab.enters("playing")
    await keyboard.press("f")  # "I didn't follow this"
    await tab.appears("#follow-up")
    assert await tab.page.evaluate("document.querySelector('#follow-up').contains(document.activeElement)")
    await keyboard.press("Escape")
    await tab.disappears("#follow-up")

    # In a text field they are letters.
    await tab_through(tab, "question", key="Shift+Tab")
    await keyboard.press("Control+A")
    await keyboard.type("f + ?")
    assert await tab.page.input_value("#question") == "f + ?"
    assert not await tab.visible("#follow-up")

    everywhere = await ring(tab)
    expected = {"question", "toggle", "stop", "previous", "next", "seek", "speed", "show-all", "read-aloud"}
    assert expected | {"not-followed", "library-toggle"} <= set(everywhere), everywhere
    assert reached
    unringed = [name for name, ringed in everywhere.items() if not ringed]
    assert not unringed, f"nothing shows that these have the focus: {unringed}"
    assert joined(whole(site, PLAIN)).startswith(joined(await tab.shown()))


async def tab_through(tab: Tab, target: str, *, key: str = "Tab") -> int:
    """Press a key until the focus is on an element; return how often that was."""
    for presses in range(80):
        if (await tab.page.evaluate("document.activeElement.id")) == target:
            return presses + 1
        await tab.page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to #{target}")


async def ring(tab: Tab) -> dict[str, bool]:
    """Go once round the page by the Tab key: where it stops, and whether that is to be seen."""
    stops: dict[str, bool] = {}
    rounds = 0
    for _ in range(200):
        await tab.page.keyboard.press("Tab")
        name, ringed = await tab.page.evaluate(FOCUSED)
        if name == "BODY":
            rounds += 1
        elif rounds == 2:
            break
        elif rounds:
            stops[name] = ringed
    return stops


async def test_drawings_are_reached_by_keyboard_and_say_what_they_show(devices: MakeDevice) -> None:
    tab = await (await devices()).tab()
    await tab.ask(EQUATION)
    await tab.page.click("#show-all")
    await tab.enters("complete")
    labels = [label for _, label, *_ in await tab.board()]
    assert labels
    assert all(labels)
    inside = "document.querySelector('#board').contains(document.activeElement)"
    for _ in range(80):
        await tab.page.keyboard.press("Tab")
        if await tab.page.evaluate(f"{inside} && !!document.activeElement.closest('[data-id], [tabindex]')"):
            break
    heard = {await tab.text(".board-caption")}
    for _ in range(len(labels) + 2):
        await tab.page.keyboard.press("ArrowRight")
        heard.add(await tab.text(".board-caption"))
    assert {" ".join(label.split()) for label in labels} <= heard


async def test_the_live_region_says_each_sentence_once_without_latex(
    devices: MakeDevice, site: Server
) -> None:
    tab = await (await devices()).tab()
    await tab.page.evaluate(LISTEN)
    await tab.ask(EQUATION, speed=4)
    await tab.enters("complete", seconds=30)
    said = [" ".join(text.split()) for text in await tab.page.evaluate("window.said")]
    assert not [text for text in said if re.search(r"[\\$]|\*\*", text)], said
    told = words(" ".join(said))
    expected = words(" ".join(spoken_text(content, "es") for content in whole(site, EQUATION).values()))
    missing = [word for word in expected if word not in told]
    assert not missing, (missing, said)
    assert len(said) >= 8


LISTEN = """() => {
  window.said = [];
  const live = document.querySelector("#live");
  const hear = (changes) => changes.forEach(({ addedNodes, target }) => window.said.push(
    ...(addedNodes.length ? [...addedNodes].map((node) => node.textContent) : [target.textContent])));
  new MutationObserver((changes) => hear(changes.filter(({ removedNodes }) => !removedNodes.length)))
    .observe(live, { childList: true, characterData: true, subtree: true });
}"""


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


# A voice that says each utterance at once, word by word.
VOICE = """() => {
  window.spoken = [];
  class Utterance extends EventTarget {
    constructor(text) { super(); this.text = text; this.lang = ""; this.rate = 1; }
  }
  const tell = (utterance, kind, more = {}) => {
    const event = Object.assign(new Event(kind), { utterance, ...more });
    utterance[`on${kind}`]?.(event);
    utterance.dispatchEvent(event);
  };
  const voice = {
    speaking: false, pending: false, paused: false, current: null,
    addEventListener() {}, removeEventListener() {},
    getVoices: () => [{ name: "Test", lang: "es-ES", default: true, localService: true, voiceURI: "test" }],
    pause() {}, resume() {},
    cancel() {
      const cut = voice.current;
      voice.current = null;
      voice.speaking = false;
      if (cut) tell(cut, "error", { error: "canceled" });
    },
    speak(utterance) {
      voice.current = utterance;
      voice.speaking = true;
      window.spoken.push([utterance.text, utterance.lang]);
      setTimeout(() => {
        if (voice.current !== utterance) return;
        tell(utterance, "start");
        for (const { index } of utterance.text.matchAll(/\\S+/g))
          tell(utterance, "boundary", { name: "word", charIndex: index });
        voice.current = null;
        voice.speaking = false;
        tell(utterance, "end");
      }, 150);
    },
  };
  Object.defineProperty(window, "speechSynthesis", { value: voice, configurable: true });
  Object.defineProperty(window, "SpeechSynthesisUtterance", { value: Utterance, configurable: true });
}"""


async def test_reads_aloud_with_the_text_behind_the_voice(devices: MakeDevice, site: Server) -> None:
    device = await devices()
    await device.context.add_init_script(f"({VOICE})()")
    tab = await device.tab()
    await tab.ask(EQUATION)
    await tab.until_shown(1, 3)
    await tab.page.click("#read-aloud")
    await tab.enters("complete", seconds=30)
    assert joined(await tab.shown()) == joined(whole(site, EQUATION))
    spoken = [text for text, _ in await tab.page.evaluate("window.spoken")]
    assert not [text for text in spoken if re.search(r"[\\$]|\*\*", text)], spoken
    assert {language[:2] for _, language in await tab.page.evaluate("window.spoken")} == {"es"}
    assert words("los dos lados pesan lo mismo")[-1] in words(" ".join(spoken))


@pytest.mark.parametrize("language", ["es", "en", "pt"])
async def test_speaks_the_students_language(devices: MakeDevice, site: Server, language: str) -> None:
    """Whatever has a name is named in it."""
    tab = await (await devices(language=language)).tab()
    await tab.ask(QUESTIONS[language])
    await tab.page.click("#show-all")
    await tab.enters("complete")
    assert joined(await tab.shown()) == joined(whole(site, QUESTIONS[language]))
    assert await tab.page.evaluate("document.documentElement.lang") == language
    names = await tab.page.evaluate(NAMES)
    assert len(names) > 10
    others = [set(said(WORDS[other])) - set(said(WORDS[language])) for other in WORDS if other != language]
    foreign = [name for name in names if any(name in other for other in others)]
    assert not foreign


async def test_changes_the_language(devices: MakeDevice, site: Server) -> None:
    tab = await (await devices(language="es")).tab()
    for language in ("pt", "en"):
        await tab.page.click("[popovertarget=account]")
        await tab.page.select_option("#language", language)
        await tab.until("(language) => document.documentElement.lang === language", language)


# What a button, a field or a region is called.
NAMED = "button, summary, label, h1, h2, [aria-label], [placeholder], option"
NAMES = f"""() => [...document.querySelectorAll("{NAMED}")]
  .filter((one) => !one.closest("#steps, #board, #examples, #library, #symbols") && one.id !== "asked")
  .flatMap((one) => [one.getAttribute("aria-label"), one.getAttribute("placeholder"),
    one.matches("[aria-label]") ? "" : one.textContent])
  .map((name) => (name ?? "").trim()).filter((name) => /\\p{{L}}{{3}}/u.test(name))"""


def said(words: Any) -> list[str]:
    if isinstance(words, str):
        return [words]
    values = words.values() if isinstance(words, dict) else words
    return [text for value in values for text in said(value)]


async def test_print_gives_the_whole_text_without_the_controls(devices: MakeDevice, site: Server) -> None:
    tab = await (await devices()).tab()
    await tab.ask(EQUATION)
    await tab.page.click("#show-all")
    await tab.enters("complete")
    await tab.page.emulate_media(media="print")
    for selector in ("#controls", "#ask", "#account"):
        assert not await tab.visible(selector), selector
    assert joined(await tab.shown()) == joined(whole(site, EQUATION))


async def test_what_was_heard_is_found_again_and_judged(devices: MakeDevice, site: Server) -> None:
    """My explanations: each plays by its address; whether it was clear reaches the editors."""
    device = await devices()
    tab = await device.tab()
    await tab.ask(PLAIN)
    await tab.page.click("#show-all")
    await tab.enters("complete")
    await tab.page.click("#library-toggle")
    entry = tab.page.locator("#library li", has_text=PLAIN)
    clear = entry.locator(".verdict button").first
    await clear.click()
    await tab.until("() => document.querySelector('#library .verdict [aria-pressed=true]')")
    session = await entry.get_attribute("data-session")
    assert session
    (remark,) = site.rows("SELECT kind FROM answers_remark WHERE listening_id = ?", session.replace("-", ""))
    assert remark["kind"] == "clear"

    await entry.locator("button.primary").click()  # once more
    await tab.enters("playing")
    await tab.page.click("#stop")
    other = await device.tab(f"/explanations/{session}/")
    await other.until_shown(1)
    assert await other.text("#asked") == PLAIN
