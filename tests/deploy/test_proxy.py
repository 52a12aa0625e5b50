"""The proxy of compose.yaml before two real processes on one PostgreSQL and one Redis."""

import asyncio
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from websockets.asyncio.client import connect

from tests.client import WAIT, RawClient, StudentClient
from tests.deploy.proxy import Proxy
from tests.e2e.conftest import SKY, assert_prefix, stored_text
from tests.js.test_js_clients import node, run
from tests.server import MakeCluster, MakeServer, Server, Student, Template
from tests.services import PostgresServer, Redis, RedisServer, or_skip

__all__ = ["node"]

POLLING = ["polling"]
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def web(
    servers: MakeServer,
    template: Template,
    postgres_service: PostgresServer,
    redis_service: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Server]]:
    shared = {
        "DATABASE_URL": template.copy(tmp_path_factory.mktemp("web"), postgres_service),
        "REDIS_URL": redis_service.database(),
    }
    started = [servers("uvicorn", **shared) for _ in range(2)]
    yield started
    for server in started:
        server.kill()


@pytest.fixture(scope="module")
def proxy(web: list[Server]) -> Iterator[Proxy]:
    with or_skip(lambda: Proxy(web)) as running:
        yield running


@pytest.fixture
def sky(web: list[Server]) -> dict[int, str]:
    return stored_text(web[0])


def test_haproxy_has_nothing_against_its_configuration(proxy: Proxy) -> None:
    assert not re.search("warning|alert", proxy.check(), re.IGNORECASE), proxy.check()


async def test_twenty_students_poll_at_once_and_both_processes_serve_them(
    proxy: Proxy, web: list[Server], template: Template, sky: dict[int, str]
) -> None:
    async with AsyncExitStack() as stack:
        students = [
            StudentClient(proxy.url, template.student().token(), transports=POLLING) for _ in range(20)
        ]
        await asyncio.gather(*map(stack.enter_async_context, students))
        served = await connections(web)
        assert sum(served) == 20
        assert min(served) >= 5, served
        await asyncio.gather(*(student.ask(SKY, speed=2) for student in students))
        await asyncio.gather(*(student.until("explanation_complete") for student in students))
        assert all(student.text == sky for student in students)
        assert {student.socket.transport() for student in students} == {"polling"}


async def test_a_websocket_needs_no_polling_and_any_process_serves_it(
    proxy: Proxy, web: list[Server], template: Template, sky: dict[int, str]
) -> None:
    async with AsyncExitStack() as stack:
        students = [StudentClient(proxy.url, template.student().token()) for _ in range(6)]
        for student in students:
            await stack.enter_async_context(student)
        assert await connections(web) == [3, 3]
        await students[0].ask(SKY, speed=8)
        await students[0].until("explanation_complete")
        assert students[0].text == sky


async def test_when_a_process_dies_its_students_go_on_at_the_other(
    proxy: Proxy, web: list[Server], template: Template, sky: dict[int, str]
) -> None:
    """The others hear nothing of it, and the process is served from again once it is back."""
    learners = [template.student() for _ in range(8)]
    students = [StudentClient(proxy.url, learner.token(), transports=POLLING) for learner in learners]
    gone: asyncio.Queue[int] = asyncio.Queue()
    for n, student in enumerate(students):
        student.socket.on("disconnect", lambda reason, n=n: gone.put_nowait(n))
    async with AsyncExitStack() as stack:
        await asyncio.gather(*map(stack.enter_async_context, students))
        await asyncio.gather(*(student.ask(SKY, speed=0.5) for student in students))
        await asyncio.gather(*(student.until_shown(200) for student in students))
        on_first, _ = await connections(web)
        assert 0 < on_first < len(students)
        web[0].kill()
        async with asyncio.timeout(WAIT):
            lost = {await gone.get() for _ in range(on_first)}

        async def go_on(n: int) -> None:
            step, position = students[n].place
            async with StudentClient(proxy.url, learners[n].token(), transports=POLLING) as again:
                again.text = dict(students[n].text)
                ack = await again.call("resume_explanation", step=step, position=position, speed=8)
                assert ack["ok"], ack
                await again.until("explanation_complete")
                assert again.text == sky

        await asyncio.gather(*map(go_on, lost))
        for student in (student for n, student in enumerate(students) if n not in lost):
            await student.call("set_speed", speed=8)
            await student.until("explanation_complete")
            assert student.text == sky
        assert gone.empty()
    web[0].start()
    await eventually_served_by(web[0], proxy, template)


async def connections(web: list[Server]) -> list[int]:
    return [(await server.counts())["connections"] for server in web]


async def eventually_served_by(server: Server, proxy: Proxy, template: Template) -> None:
    async with asyncio.timeout(10), AsyncExitStack() as stack:
        while not (await server.counts())["connections"]:
            student = StudentClient(proxy.url, template.student().token(), transports=POLLING)
            await stack.enter_async_context(student)


async def test_while_redis_is_away_students_go_on_where_they_are_and_pages_are_served(
    cluster: MakeCluster, own_redis: Redis, template: Template
) -> None:
    """No process is ready then, and the proxy has nobody better to ask."""
    web = cluster(2, kinds=("uvicorn",), redis=own_redis)
    for server in web:
        server.known_errors.append("redis")
    with or_skip(lambda: Proxy(web)) as proxy:
        students = [
            StudentClient(proxy.url, template.student().token(), transports=POLLING) for _ in range(6)
        ]
        async with AsyncExitStack() as stack:
            await asyncio.gather(*map(stack.enter_async_context, students))
            assert min(await connections(web)) > 0
            await asyncio.gather(*(student.ask(SKY, speed=0.25) for student in students))
            own_redis.stop()
            async with (
                asyncio.timeout(WAIT),
                httpx2.AsyncClient(base_url=proxy.url, trust_env=False) as browser,
            ):
                assert (await browser.get("/readyz")).status_code == 503
                while set(re.findall(r"web/(web\d) is DOWN", proxy.log)) != {"web1", "web2"}:
                    assert (await browser.get("/login/")).status_code == 200
                shown = [student.place for student in students]
                for _ in range(20):
                    assert (await browser.get("/login/")).status_code == 200
            for student, place in zip(students, shown, strict=True):
                await student.until("step_start", step=place[0] + 1, seconds=20)
                assert student.socket.connected
                assert_prefix(student, stored_text(web[0]))


@pytest.mark.parametrize("way", ["http", "https"])
def test_pages_login_and_administration(
    proxy: Proxy, web: list[Server], template: Template, way: str
) -> None:
    """Over HTTP, and behind something that ends TLS: Django sees the scheme and the host of the browser."""
    student = template.student()
    encoded = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    web[0].rows("UPDATE accounts_user SET password = ?, is_staff = ? WHERE id = ?", encoded, True, student.id)
    (row,) = web[0].rows("SELECT email FROM accounts_user WHERE id = ?", student.id)
    base = proxy.url if way == "http" else proxy.tls_url
    for path in ("/admin/login/", "/login/"):
        with httpx2.Client(base_url=base, verify=False, trust_env=False) as browser:
            form = browser.get(path)
            assert form.status_code == 200
            (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text))
            fields = {"username": row["email"], "password": PASSWORD, "csrfmiddlewaretoken": token}
            headers = {"Origin": base, "Referer": base + path}
            done = browser.post(path, data={**fields, "next": "/"}, headers=headers)
            assert done.status_code == 302, done.text
            assert browser.get("/").status_code == 200
            forged = browser.post(path, data=fields, headers={"Origin": "https://elsewhere.example"})
            assert forged.status_code == 403


@pytest.mark.parametrize("way", ["http", "https"])
async def test_the_own_origin_may_connect_and_a_foreign_one_may_not(
    proxy: Proxy, learner: Student, way: str
) -> None:
    base = proxy.url if way == "http" else proxy.tls_url
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    options = {"ssl": trusting} if way == "https" else {}
    async with RawClient(base, learner.token(), origin=base, **options) as student:
        assert await student.call("get_session", {}, ack=1) == [{"ok": True, "session": None}]
    url = base.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(Exception, match="HTTP 40"):
        await connect(url, origin="https://elsewhere.example", proxy=None, **options)


def test_nobody_says_where_they_come_from_but_what_ends_tls(web: list[Server], template: Template) -> None:
    """Else the limit of attempts to log in would hold for nobody."""
    fields = {"email": f"{template.student().id}@school.example", "password": "wrong"}
    with (
        or_skip(lambda: Proxy(web, TLS_PROXY="192.0.2.1")) as proxy,
        httpx2.Client(base_url=proxy.url, trust_env=False) as client,
    ):
        codes = [
            client.post("/api/token/", json=fields, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
            for n in range(11)
        ]
    assert codes == [401] * 10 + [429]


def test_what_a_browser_gets_and_may_send(proxy: Proxy) -> None:
    """The session's cookie is for the proxy alone; what is too long is refused before it is read."""
    with httpx2.Client(base_url=proxy.url, trust_env=False) as browser:
        opened = browser.get("/socket.io/?EIO=4&transport=polling")
        assert opened.text.startswith('0{"sid"')
        assert "set-cookie" not in opened.headers
        assert browser.post("/api/token/", content=b"x" * 1_048_577).status_code == 413
        assert browser.post("/api/token/", content=iter([b"x"])).status_code == 413
        assert browser.post("/api/token/", json={}).status_code == 400


@pytest.mark.parametrize("script", ["seed_javascript", "seed_react"])
@pytest.mark.parametrize("way", ["open", "school"])
def test_the_published_examples_play_pause_and_resume(
    node: str, proxy: Proxy, web: list[Server], template: Template, tmp_path: Path, script: str, way: str
) -> None:
    """They begin with polling; where WebSockets are blocked they stay with it to the end."""
    run(
        *(node, f"{script}.test.mjs", web[0], tmp_path),
        STUDENTS=json.dumps([template.student().token() for _ in range(3)]),
        SERVER_URL=proxy.url if way == "open" else proxy.school_url,
        TRANSPORT="websocket" if way == "open" else "polling",
    )
