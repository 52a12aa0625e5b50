"""Commands as they are shown: made ready once, with what stands before them in the whole explanation."""

from typing import Any

import pytest

from answers import showing
from answers.recording import Recording

AXES = {"op": "axes", "id": "ax", "x": 0, "y": 0, "w": 9, "h": 9, "xr": [0, 2], "yr": [0, 4], "alt": "Axes"}
PLOT = {"op": "plot", "id": "p", "in": "ax", "expr": "x", "alt": "A line"}


def recording_of(*steps: list[dict[str, Any]], language: str = "en") -> Recording:
    answer = [
        {
            "title": "T",
            "type": "text",
            "content": "C",
            "canvas_commands": [{**command, "at": 0} for command in step],
        }
        for step in steps
    ]
    return Recording.of(answer, 1.0, "answer", language)


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        ([[AXES, PLOT]], [[0, 0], [2, 2]]),
        ([[AXES], [], [PLOT]], [[0, 0], [2, 2]]),
        ([[AXES, {**AXES, "xr": [1, 3]}, {**AXES, "id": "other", "xr": [5, 6]}, PLOT]], [[1, 1], [3, 3]]),
        ([[AXES], [{**AXES, "xr": [1, 3]}], [PLOT]], [[1, 1], [3, 3]]),
        ([[AXES, {**PLOT, "domain": [0.5, 1]}]], [[0.5, 0.5], [1, 1]]),
        ([[PLOT, AXES]], [[-10, -10], [10, 10]]),
    ],
)
def test_a_plots_points_are_in_the_units_of_the_axes_before_it(
    steps: list[list[dict[str, Any]]], ends: list[list[float]]
) -> None:
    shown = recording_of(*steps).as_shown()
    (plot,) = [command for step in shown for command in step["canvas_commands"] if command["op"] == "plot"]
    assert [plot["points"][0], plot["points"][-1]] == ends


def test_what_is_stored_stays_as_it_is() -> None:
    recording = recording_of([AXES, PLOT, {"op": "point", "id": "q", "x": 1, "y": 1}])
    shown = recording.as_shown()[0]["canvas_commands"]
    assert [
        sorted(command.keys() - raw.keys())
        for command, raw in zip(shown, recording.steps[0].commands, strict=True)
    ] == [
        [],
        ["points"],
        ["alt"],
    ]
    assert "points" not in str(recording.as_steps())


def test_a_command_is_made_ready_once_whoever_is_shown_it(monkeypatch: pytest.MonkeyPatch) -> None:
    recording, made = recording_of([AXES, PLOT], [PLOT]), []
    real = showing.as_shown
    monkeypatch.setattr("answers.recording.as_shown", lambda *args: made.append(args) or real(*args))
    first = recording.shown(1, 1)
    assert len(made) == 1, "what is not reached yet costs nothing"
    assert recording.shown(1)[:1] == first and recording.as_shown() == recording.as_shown()
    assert len(made) == 3


def test_a_growing_step_shows_what_it_has() -> None:
    recording = Recording("pt")
    recording.begin_step("T", "text")
    assert recording.shown(1) == []
    recording.draw(AXES)
    recording.say("…")
    recording.draw({key: value for key, value in PLOT.items() if key != "alt"})
    assert [(command["at"], command["alt"]) for command in recording.shown(1)] == [
        (0, "Axes"),
        (1, "Gráfico de x"),
    ]
