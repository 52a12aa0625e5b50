"""The page's own modules, each held by the tests beside this file that bear its name, under Node.js."""

import subprocess
from pathlib import Path

import pytest

from tests.js.test_js_clients import node  # noqa: F401

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "frontend").glob("*.test.mjs"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name.removesuffix(".test.mjs"))
def test_module(node: str, script: Path) -> None:  # noqa: F811
    """The module holds what its script says; the script's own words come with a failure."""
    result = subprocess.run(
        [node, "--test", "--test-force-exit", "--test-reporter=spec", str(script)],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
