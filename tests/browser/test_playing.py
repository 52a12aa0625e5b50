"""An explanation on the page: it plays whole, rests at the character, and goes anywhere."""

import asyncio
import json

import pytest

from tests.browser.answers import EQUATION, PLAIN, standing
from tests.browser.conftest import BROWSER, PASSWORD, MakeDevice, MakeServer, give_password, whole
from tests.browser.tab import BOARD, Tab, drawn_ids, joined, squeezed
from tests.server import Server, Student

pytestmark = BROWSER


def stored_steps(site: Server, question: str) -> list[dict[str, object]]:
    (row,) = site.rows("SELECT answer_steps FROM ai_answers WHERE question_text = ?", question)
    return json.loads(row["answer_steps"])


async def plays_whole(tab: Tab, text: dict[int, str], *, seconds: float = 30) -> None:
    """Watch it to its end: at every moment what is shown is the beginning of the explanation."""
    expected, before = joined(text), ""
    async with asyncio.timeout(seconds):
        while await tab.state() != "complete":
            now = joined(await tab.shown())
            assert expected.startswith(now), now
            assert now.startswith(before), (before, now)
            before = now
            await asyncio.sleep(0.05)
    assert joined(await tab.shown()) == expected


async def test_plays_to_the_end_what_was_asked(devices: MakeDevice, site: Server) -> None:
    tab = await (await devices()).tab()
    await tab.enters("idle")
    await tab.ask(EQUATION, speed=4)
    await plays_whole(tab, whole(site, EQUATION))
    steps = stored_steps(site, EQUATION)
    assert await tab.text("#asked") == EQUATION
    assert list((await tab.titles()).values()) == [step["title"] for step in steps]
    assert drawn_ids(await tab.board()) == standing(steps)  # type: ignore[arg-type]
    assert not await tab.text("#error")

    await tab.page.click("#toggle")  # once more
    await tab.until_shown(1)
    await plays_whole(tab, whole(site, EQUATION))


async def test_an_example_is_asked_by_a_click(devices: MakeDevice) -> None:
    tab = await (await devices()).tab()
    example = tab.page.locator("#examples button").first
    question = (await example.inner_text()).strip()
    await example.click()
    await tab.until_shown(1)
    assert await tab.text("#asked") == question


async def test_a_symbol_is_written_where_the_caret_stands(devices: MakeDevice) -> None:
    tab = await (await devices()).tab()
    await tab.page.fill("#question", "¿Cuánto es 2?")
    await tab.page.evaluate("document.querySelector('#question').setSelectionRange(12, 12)")
    symbol = tab.page.locator("#symbols button", has_text="²")
    await symbol.click()
    assert await tab.page.input_value("#question") == "¿Cuánto es 2²?"


async def test_signs_in_by_the_form_and_plays_on_through_expired_tokens(
    devices: MakeDevice, page_servers: MakeServer, learner: Student
) -> None:
    server = page_servers("uvicorn", ACCESS_TOKEN_MINUTES=3 / 60)
    email = give_password(server, learner)
    device = await devices(student=None, server=server)
    tab = await device.tab()
    if "/login/" not in tab.page.url:
        await tab.page.click("a[href^='/login/']")
    await tab.page.fill("[name=username]", email)
    await tab.page.fill("[name=password]", PASSWORD)
    await tab.page.press("[name=password]", "Enter")
    await tab.appears("#question")
    cookies = {cookie["name"]: cookie for cookie in await device.context.cookies()}
    assert cookies["sessionid"]["httpOnly"]  # no script can read it
    await tab.ask(EQUATION, speed=4)
    await plays_whole(tab, whole(server, EQUATION))
    assert not await tab.text("#error")


async def test_pause_reload_and_resume_lose_and_double_no_character(
    devices: MakeDevice, site: Server
) -> None:
    tab = await (await devices()).tab()
    text = whole(site, EQUATION)
    await tab.ask(EQUATION, speed=4)
    await tab.until_shown(2, 50)
    await tab.toggle("paused")
    held, drawn = await tab.shown(), await tab.board()

    await tab.page.reload()
    await tab.enters("paused")
    assert joined(await tab.shown()) == joined(held)
    await tab.until(f"(drawn) => JSON.stringify(({BOARD})()) === JSON.stringify(drawn)", drawn)
    await tab.until("() => !document.querySelector('#steps').textContent.includes('**')")  # set again
    await tab.toggle("playing")
    more = await tab.until_more(held)
    assert joined(more).startswith(joined(held))

    await tab.page.reload()  # while it plays
    await tab.enters("playing")
    again = await tab.until_shown(2, len(more[2]) - 5)
    assert joined(text).startswith(joined(again))
    await plays_whole(tab, text)


async def test_seeking_back_and_forth_shows_what_playing_showed(devices: MakeDevice) -> None:
    """Text and board of a place do not depend on how the student came there."""
    device = await devices()
    tab = await device.tab()
    await tab.record()
    await tab.ask(EQUATION, speed=4)
    await tab.enters("complete", seconds=30)
    played = await tab.recorded()
    assert len(played) > 50

    for thousandth in (500, 120, 870, 300, 1000, 640, 10):
        await tab.seek(thousandth)
        if await tab.state() == "playing":
            await tab.toggle("paused")
        shown, drawn = joined(await tab.shown()), await tab.board()
        assert played[-1][0].startswith(shown)
        before = [board for text, board in played if len(text) <= len(shown)][-1]
        after = next(board for text, board in played if len(text) >= len(shown))
        assert drawn in (before, after), thousandth


async def test_steps_forward_and_back_by_their_buttons(devices: MakeDevice, site: Server) -> None:
    tab = await (await devices()).tab()
    text = whole(site, EQUATION)
    await tab.ask(EQUATION, speed=1)
    await tab.until_shown(1, 10)
    await tab.page.click("#next")
    shown = await tab.until_shown(2)
    assert squeezed(shown[1]) == squeezed(text[1])
    await tab.page.click("#previous")
    await tab.until("() => document.querySelectorAll('#steps > li.step:not([hidden])').length <= 2")
    await tab.page.click("#show-all")
    await tab.enters("complete")
    assert joined(await tab.shown()) == joined(text)


async def test_a_hidden_page_pauses_and_stays_paused(devices: MakeDevice) -> None:
    tab = await (await devices()).tab()
    await tab.ask(PLAIN, speed=1)
    await tab.until_shown(1, 5)
    await tab.hide()
    await tab.enters("paused")
    held = await tab.shown()
    await tab.hide(False)
    await tab.toggle("playing")
    assert joined(await tab.until_more(held)).startswith(joined(held))


@pytest.mark.parametrize("steered", ["pause", "stop"])
async def test_a_second_tab_shows_the_same_and_steers_it(
    devices: MakeDevice, site: Server, steered: str
) -> None:
    device = await devices()
    first = await device.tab()
    await first.ask(EQUATION, speed=1)
    await first.until_shown(1, 10)
    second = await device.tab()
    await second.appears("#continue-here")
    assert joined(whole(site, EQUATION)).startswith(joined(await second.until_shown(1, 5)))
    if steered == "stop":
        await second.page.click("#stop")
        await first.enters("stopped")
        return
    await second.page.click("#toggle")
    await first.enters("paused")
    held = await first.shown()
    await second.enters("paused")

    await second.page.click("#continue-here" if await second.visible("#continue-here") else "#toggle")
    await second.enters("playing")
    await first.page.click("#continue-here")  # takes it back…
    await second.appears("#continue-here")
    assert joined(await first.until_more(held)).startswith(joined(held))
    await second.page.click("#continue-here")  # … and so does the other
    await first.appears("#continue-here")
    await second.set_speed(4)
    await plays_whole(second, whole(site, EQUATION))
