"""Chromium, the server with its static files as in production, and students who are signed in."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.backends.db import SessionStore
from playwright.async_api import Browser, async_playwright

from accounts.models import User
from tests.browser.answers import ANSWERS
from tests.browser.network import Network
from tests.browser.tab import WAIT, Device, Shown
from tests.e2e.conftest import stored_text
from tests.js.test_js_clients import import_answers
from tests.server import ROOT, MakeServer, Server, Student
from tests.services import chromium_program, or_skip

FRONTEND = ROOT / "streaming" / "frontend"
DIST = FRONTEND / "dist"
PASSWORD = "correct horse battery"

BROWSER = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

MakeDevice = Callable[..., Awaitable[Device]]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    program = or_skip(chromium_program)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        yield browser
        await browser.close()


@pytest.fixture(scope="package")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that `collectstatic` puts together for production."""
    if not (DIST / "page.js").exists():
        pytest.fail("`make test` builds what is missing: streaming/frontend/dist", pytrace=False)
    folder = tmp_path_factory.mktemp("static")
    collected = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, "DEBUG": "off", "ALLOWED_HOSTS": "127.0.0.1", **_static(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert collected.returncode == 0, collected.stderr
    return folder


def _static(folder: Path) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "tests.browser.settings", "STATIC_ROOT": str(folder)}


@pytest.fixture(scope="package")
def page_servers(
    servers: MakeServer, static_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> MakeServer:
    """Starts servers that have the answers of `tests.browser.answers` and serve the page."""
    file = tmp_path_factory.mktemp("answers") / "answers.jsonl"
    file.write_text("\n".join(json.dumps(answer) for answer in ANSWERS))

    def start(kind: str = "daphne", **settings: object) -> Server:
        server = servers(kind, **_static(static_root), **settings)
        import_answers(server, file)
        return server

    return start


@pytest.fixture(scope="package")
def site(page_servers: MakeServer) -> Server:
    """The server that students of all these tests share."""
    return page_servers()


@pytest_asyncio.fixture(loop_scope="package")
async def network(site: Server) -> AsyncIterator[Network]:
    """What lies between this test's browsers and the server."""
    async with Network(site.port) as network:
        yield network


@pytest_asyncio.fixture(loop_scope="package")
async def devices(
    browser: Browser, network: Network, site: Server, learner: Student
) -> AsyncIterator[MakeDevice]:
    """Gives browsers: `await devices(color_scheme="dark")`; all that they may not do fails the test.

    `student`: who is signed in there, `learner` unless given, nobody if None.
    """
    opened: list[Device] = []
    async with AsyncExitStack() as stack:

        async def make(
            *,
            student: Student | None = learner,
            language: str = "es",
            server: Server = site,
            **options: Any,
        ) -> Device:
            url = network.url
            if server is not site:
                url = (await stack.enter_async_context(Network(server.port))).url
            known = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
            context = await browser.new_context(**(known | {"locale": language} | options))
            stack.push_async_callback(context.close)
            if student:
                await context.add_cookies(
                    [
                        {
                            "name": settings.SESSION_COOKIE_NAME,
                            "value": signed_in(server, student, language),
                            "url": url,
                        }
                    ]
                )
            context.set_default_timeout(1000 * WAIT)
            opened.append(Device(context, url))
            return opened[-1]

        yield make
    assert not (faults := [fault for device in opened for fault in device.faults]), faults


def signed_in(server: Server, student: Student, language: str) -> str:
    """Return the key of a new session of Django's, as after a login."""
    key = student.id.replace("-", "")
    server.rows("UPDATE accounts_user SET language = ? WHERE id = ?", language, key)
    (row,) = server.rows("SELECT password FROM accounts_user WHERE id = ?", key)
    session = SessionStore()
    data = {
        SESSION_KEY: student.id,
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: User(password=row["password"]).get_session_auth_hash(),
    }
    name = uuid.uuid4().hex
    server.rows(
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)",
        name,
        session.encode(data),
        "2100-01-01 00:00:00+00:00",
    )
    return name


def give_password(server: Server, student: Student) -> str:
    """Let a student in by `PASSWORD`; return the e-mail that goes with it."""
    key = student.id.replace("-", "")
    encoded = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    server.rows("UPDATE accounts_user SET password = ? WHERE id = ?", encoded, key)
    (row,) = server.rows("SELECT email FROM accounts_user WHERE id = ?", key)
    return str(row["email"])


def whole(server: Server, question: str) -> Shown:
    return stored_text(server, question)
