"""What all fault tests have in common: their marker, and time enough."""

import os
from pathlib import Path

import pytest

SOAK = int(os.environ.get("SOAK", "1"))  # how many times as much is broken


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.timeout(300 * SOAK))
