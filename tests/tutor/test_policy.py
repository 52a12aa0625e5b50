"""Browsers load for our pages what we serve ourselves, and nothing inline."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tutor.policy import POLICY


def test_the_policy_lets_in_nothing_foreign_and_nothing_inline() -> None:
    assert set(POLICY.split("; ")) == {
        "default-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    }


@pytest.mark.parametrize(
    "path",
    ["/", "/login/", "/admin/login/", "/api/me/", "/static/streaming/icon.svg", "/nowhere"],
)
def test_every_response_has_it(client: Client, db: None, path: str) -> None:
    assert client.head(path).headers["Content-Security-Policy"] == POLICY


def test_the_worker_is_served_at_the_root_and_asked_for_anew(
    client: Client, tmp_path: Path, settings: Any
) -> None:
    settings.PAGE = tmp_path
    assert client.get("/sw.js").status_code == 404
    (tmp_path / "worker.js").write_text("self")
    response = client.get("/sw.js")
    assert response.content == b"self"
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["Service-Worker-Allowed"] == "/"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Content-Security-Policy"] == POLICY


def test_the_administration_works_under_it(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root", "correct horse battery"))
    for path in ("", "answers/answer/", "answers/answer/add/", "answers/remark/", "answers/alias/add/"):
        page = client.get(f"/admin/{path}").content.decode()
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page
