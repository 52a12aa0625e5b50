"""Imports point one way: `tutor` → `streaming` → `answers`, `accounts`; and never round."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "tutor": {"tutor", "streaming", "answers", "accounts"},
    "streaming": {"streaming", "answers", "accounts"},
    "answers": {"answers"},
    "accounts": {"accounts"},
}


def modules(package: str) -> dict[str, Path]:
    """Return the modules of a package by their dotted names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / package).rglob("*.py")
        if "node_modules" not in path.parts
    }


ALL = {name: path for package in MAY_IMPORT for name, path in modules(package).items()}


def imported(path: Path) -> set[str]:
    """Return which of our modules a file imports when it is loaded or later; type checks aside."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in ALL else node.module for name in names}
    return {name for name in found if name in ALL}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    upward = {
        f"{name} → {other}"
        for name, path in modules(package).items()
        for other in imported(path)
        if other.split(".")[0] not in MAY_IMPORT[package]
    }
    assert not upward


def test_no_module_imports_itself_in_a_round() -> None:
    graph = {name: imported(path) - {name} for name, path in ALL.items()}
    graphlib.TopologicalSorter(graph).prepare()


def test_modules_stay_small() -> None:
    long = {
        name: lines
        for name, path in ALL.items()
        if "migrations" not in name and (lines := len(path.read_text().splitlines())) > LONGEST.get(name, 320)
    }
    assert not long


# Longer ones, each with the reason why it is still one idea.
LONGEST = {
    "tutor.settings": 335,  # every setting of the product
    "streaming.listener": 355,  # all that one connection may do with sessions, in one place
    "streaming.protocol": 385,  # the whole contract, to be read from top to bottom
    "streaming.playback": 440,  # states, transitions and what is due: apart they could not be read
    "answers.canvas": 345,  # thirteen commands, a table in code
}
