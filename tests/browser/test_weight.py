"""What a browser has to load."""

import gzip
import json

import pytest

from tests.browser.conftest import DIST
from tests.figures import figure

pytestmark = pytest.mark.browser

BUDGET = 250 * 1024  # bytes of script and style, by gzip


def test_script_and_style_stay_within_the_budget() -> None:
    files = [path for path in DIST.rglob("*") if path.suffix in (".js", ".css")]
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in files}
    figure(f"browser: {sum(sizes.values()) / 1024:.0f} KiB of script and style by gzip: {json.dumps(sizes)}")
    assert sizes
    assert sum(sizes.values()) <= BUDGET
