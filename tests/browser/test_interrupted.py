"""What comes between the student and the explanation: servers that die, networks that go and come back."""

import asyncio

from tests.browser.answers import EQUATION, PLAIN
from tests.browser.conftest import BROWSER, MakeDevice, MakeServer, whole
from tests.browser.network import Network
from tests.browser.tab import Shown, Tab, joined
from tests.browser.test_playing import plays_whole
from tests.e2e.conftest import SKY
from tests.figures import figure
from tests.server import Server

pytestmark = BROWSER

READING_RATE = 22  # code points a second, shown as 1×


async def in_hand(tab: Tab, seconds: float) -> None:
    """Wait until so many seconds of text are there and not yet shown."""
    async with asyncio.timeout(20):
        while True:
            if tab.held() - length(await tab.shown()) >= seconds * READING_RATE:
                return
            await asyncio.sleep(0.05)


def length(shown: Shown) -> int:
    return sum(map(len, shown.values()))


async def test_a_killed_server_comes_back_and_nothing_is_lost(
    devices: MakeDevice, page_servers: MakeServer
) -> None:
    server = page_servers("uvicorn")
    tab = await (await devices(server=server)).tab()
    await tab.ask(EQUATION, speed=2)
    await tab.until_shown(1, 60)
    server.kill()
    held = await tab.until_more(await tab.shown())  # from what the page has in hand
    server.start()
    assert joined(await tab.until_more(held)).startswith(joined(held))
    await tab.set_speed(4)
    await plays_whole(tab, whole(server, EQUATION))
    server.restart()  # in good order, and a finished explanation does not mind
    await tab.page.click("#toggle")
    await tab.until_shown(1)
    await plays_whole(tab, whole(server, EQUATION))


async def test_ten_seconds_without_a_network_are_not_noticed(devices: MakeDevice, network: Network) -> None:
    tab = await (await devices()).tab()
    await tab.ask(SKY, speed=1)
    await in_hand(tab, 11)
    assert not await tab.text("#error")
    network.fall_silent()
    began = asyncio.get_running_loop().time()
    shown, longest = length(await tab.shown()), 0.0
    at = began
    while (now := asyncio.get_running_loop().time()) < began + 10:
        count = length(await tab.shown())
        if count > shown:
            shown, at = count, now
        longest = max(longest, now - at)
        assert await tab.state() == "playing"
        assert not await tab.text("#error")
        await asyncio.sleep(0.05)
    network.mend()
    figure(f"browser: 10 s without a network: the text stood for {longest:.2f} s at most")
    assert longest < 1.0
    await in_hand(tab, 8)
    assert await tab.state() == "playing"
    await tab.disappears("#continue-here")
    await tab.page.click("#stop")


async def test_a_minute_without_a_network_ends_well(
    devices: MakeDevice, network: Network, site: Server
) -> None:
    """What is in hand is shown to its end; then the page says what it waits for, and goes on by itself."""
    device = await devices()
    tab = await device.tab()
    await tab.ask(SKY, speed=1)
    await in_hand(tab, 8)
    network.cut()
    await device.offline()
    began = asyncio.get_running_loop().time()
    held = tab.held()
    await tab.until("() => document.querySelector('#banner').textContent.trim()", seconds=30)
    while asyncio.get_running_loop().time() < began + 60:
        assert not await tab.text("#error")
        await asyncio.sleep(0.5)
    shown = await tab.shown()
    assert joined(whole(site, SKY)).startswith(joined(shown))
    assert abs(length(shown) - held) < READING_RATE
    network.mend()
    await device.offline(False)
    assert joined(await tab.until_more(shown, seconds=15)).startswith(joined(shown))
    assert await tab.state() == "playing"
    await tab.page.click("#show-all")
    await tab.enters("complete")
    assert joined(await tab.shown()) == joined(whole(site, SKY))


async def test_a_finished_explanation_replays_without_a_network(
    devices: MakeDevice, network: Network, site: Server
) -> None:
    device = await devices()
    tab = await device.tab()
    await tab.ask(PLAIN)
    await tab.page.click("#show-all")
    await tab.enters("complete")
    address = await tab.page.evaluate("location.href")
    await tab.until(KEPT)
    network.cut()
    await device.offline()
    await tab.page.goto(address)
    await tab.page.click("#library-toggle")
    await tab.page.locator("#library li", has_text=PLAIN).locator("button.primary").click()
    await tab.enters("playing")
    await tab.set_speed(4)
    await plays_whole(tab, whole(site, PLAIN))


# Whether an explanation is kept in the browser, and the list of what there is.
KEPT = """async () => {
  const caching = (await caches.keys()).map(async (name) => (await caches.open(name)).keys());
  const paths = (await Promise.all(caching)).flat().map(({ url }) => new URL(url).pathname);
  return [/^\\/api\\/explanations\\/$/, /^\\/api\\/explanations\\/[-0-9a-f]{36}\\/$/].every(
    (kind) => paths.some((path) => kind.test(path)));
}"""
