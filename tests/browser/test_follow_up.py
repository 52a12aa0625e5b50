"""I didn't follow this: a question about one sentence, and back to the very character."""

from tests.browser.answers import EQUATION, PLAIN
from tests.browser.conftest import BROWSER, MakeDevice, whole
from tests.browser.tab import Tab, eventually, joined
from tests.browser.test_playing import plays_whole
from tests.model_server import ModelServer, Reply, answer, told
from tests.server import Server, Template

pytestmark = BROWSER

REPLY = answer(1, 2)


async def lost_at(tab: Tab, question: str, step: int, characters: int) -> dict[int, str]:
    """Play to a place and say there that one has not followed; return what is then shown."""
    await tab.ask(question, speed=2)
    await tab.until_shown(step, characters)
    await tab.toggle("paused")
    held = await tab.shown()
    await tab.page.click("#not-followed")
    await tab.appears("#follow-up")
    return held


async def test_a_follow_up_is_answered_and_leads_back_to_the_character(
    devices: MakeDevice, site: Server, model_server: ModelServer
) -> None:
    model_server.script(Reply(REPLY, per_second=400))
    tab = await (await devices()).tab()
    held = await lost_at(tab, EQUATION, 2, 40)
    drawn = await tab.board()
    assert (await tab.page.input_value("#follow-up-question")).strip()
    await tab.page.click("#follow-up button[value=ask]")
    await tab.disappears("#follow-up")
    await tab.until(
        "(words) => document.querySelector('#steps').textContent.includes(words)", "Sentence 0 of step 1"
    )
    await tab.appears("#back")
    await tab.page.click("#show-all")
    await tab.enters("complete")
    assert joined(await tab.shown()) == joined({n: text for n, (_, text) in enumerate(told(REPLY), 1)})
    assert model_server.calls == 1

    await tab.page.click("#back")
    await tab.until("(asked) => document.querySelector('#asked').textContent.includes(asked)", EQUATION)
    await tab.enters("paused", "playing")
    shown = await tab.shown()
    assert joined(shown).startswith(joined(held))
    if await tab.state() == "paused":
        assert (shown, await tab.board()) == (held, drawn)
        await tab.toggle("playing")
    await tab.disappears("#back")
    await plays_whole(tab, whole(site, EQUATION))


async def test_the_next_student_lost_there_is_answered_from_the_cache(
    devices: MakeDevice, model_server: ModelServer, template: Template
) -> None:
    model_server.script(Reply(REPLY, per_second=400))
    for _ in range(2):
        tab = await (await devices(student=template.student())).tab()
        await lost_at(tab, PLAIN, 1, 60)
        await tab.page.click("#follow-up button[value=ask]")
        words = "Sentence 0 of step 1"
        await tab.until("(words) => document.querySelector('#steps').textContent.includes(words)", words)
        await tab.page.click("#show-all")
        await tab.enters("complete")
    assert model_server.calls == 1


async def test_a_follow_up_may_be_left_alone(devices: MakeDevice) -> None:
    tab = await (await devices()).tab()
    held = await lost_at(tab, PLAIN, 1, 30)
    await tab.page.keyboard.press("Escape")
    await tab.disappears("#follow-up")
    assert await tab.state() == "paused"
    assert await tab.shown() == held
    assert not await tab.visible("#back")


async def test_a_sentence_offers_what_can_be_done_there(devices: MakeDevice, site: Server) -> None:
    """Play from here; and "this is wrong" reaches the editors with its place."""
    tab = await (await devices()).tab()
    await tab.ask(PLAIN)
    await tab.page.click("#show-all")
    await tab.enters("complete")
    text = whole(site, PLAIN)
    place = text[1].index("Late")

    await click_on_word(tab, "Late")
    await tab.page.click("#sentence-menu button[value=wrong]")
    await tab.page.fill("#wrong-text", "Late más.")
    await tab.page.click("#wrong button[value=send]")
    await tab.disappears("#wrong")
    (remark,) = await eventually(
        lambda: site.rows("SELECT * FROM answers_remark WHERE text = ?", "Late más."), "no remark"
    )
    assert (remark["kind"], remark["step"], remark["position"]) == ("wrong", 1, place)

    await click_on_word(tab, "Late")
    await tab.page.click("#sentence-menu button[value=play]")
    await tab.enters("playing")
    shown = joined(await tab.shown())
    assert joined({1: text[1][:place]}) in shown
    assert len(shown) < len(joined({1: text[1]}))
    await plays_whole(tab, text)


async def click_on_word(tab: Tab, word: str) -> None:
    """Click on the first such word of the text."""
    await tab.is_set()
    box = await tab.page.evaluate(
        """(word) => {
          const texts = document.createTreeWalker(document.querySelector("#steps"), NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const start = texts.currentNode.data.indexOf(word);
            if (start < 0) continue;
            const range = document.createRange();
            range.setStart(texts.currentNode, start);
            range.setEnd(texts.currentNode, start + word.length);
            const { x, y, width, height } = range.getBoundingClientRect();
            return [x + width / 2, y + height / 2];
          }
        }""",
        word,
    )
    await tab.page.mouse.click(*box)
    await tab.appears("#sentence-menu")
