"""What tests have measured, and their seeds: told at the end of a run."""

from typing import Any

_figures: list[str] = []


def figure(text: str) -> None:
    """Tell what was measured, or with which seed."""
    _figures.append(text)


def tell(terminalreporter: Any) -> None:
    if _figures:
        terminalreporter.section("figures")
        for text in _figures:
            terminalreporter.write_line(text)
