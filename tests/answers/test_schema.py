"""The gate through which every answer comes in."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers.errors import InvalidContent
from answers.schema import MAX_BYTES, MAX_COMMANDS, MAX_CONTENT, MAX_STEPS, MAX_TITLE, read_explanation

FOCUS = {"op": "focus", "ids": ["a"]}
STEP = {"title": "Uno", "type": "text", "content": "Hola", "canvas_commands": []}


def steps(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"answer_steps": [{**STEP, **change} for change in changes]}


def told(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"answer_steps": [{"title": "Uno", "type": "text", "parts": list(parts), **more}]}


def read_one(data: dict[str, Any]) -> dict[str, Any]:
    (step,) = read_explanation(data).steps_json()
    return step


def problems(data: object) -> list[str]:
    with pytest.raises(InvalidContent) as refused:
        read_explanation(data)
    assert str(refused.value).encode()
    return refused.value.problems


def test_an_explanation_is_given_back_as_it_was_written() -> None:
    data = {
        "answer_steps": [
            {**STEP, "type": kind, "canvas_commands": [{"op": "focus", "at": 2, "ids": ["a"], "dur": 5}]}
            for kind in ("text", "math", "image")
        ],
        "total_duration": 12.5,
    }
    explanation = read_explanation(data)
    assert json.dumps(explanation.steps_json()) == json.dumps(data["answer_steps"]).replace(
        '"at": 2, "ids": ["a"], "dur": 5', '"at": 2, "dur": 5, "ids": ["a"]'
    )
    assert explanation.total_duration == 12.5
    assert read_explanation({"answer_steps": data["answer_steps"]}).total_duration == 0


@given(st.text(max_size=50))
def test_content_is_kept_code_point_for_code_point(content: str) -> None:
    if "\0" in content:
        problems(steps({"content": content}))
    else:
        assert read_one(steps({"content": content}))["content"] == content.replace("\r\n", "\n")


def test_content_is_never_stripped_nor_composed() -> None:
    content = "\n  e\u0301\u200b\ufeff\r \r\r\n\x0b\u2028\t"
    assert read_one(steps({"content": content}))["content"] == content.replace("\r\n", "\n")


def test_commands_go_by_place_and_at_the_end_where_none_is_given() -> None:
    commands = [
        FOCUS,
        {**FOCUS, "at": 4, "dur": 1},
        {**FOCUS, "at": 0, "dur": 2},
        {**FOCUS, "at": None, "dur": 3},
        {**FOCUS, "at": 2, "dur": 4},
        {**FOCUS, "at": 0, "dur": 5},
    ]
    read = read_one(steps({"canvas_commands": commands}))["canvas_commands"]
    assert [(command["at"], command.get("dur")) for command in read] == [
        (0, 2), (0, 5), (2, 4), (4, None), (4, 1), (4, 3)
    ]  # fmt: skip


def test_a_place_counts_code_points() -> None:
    assert read_one(steps({"content": "👩‍🚀", "canvas_commands": [FOCUS]}))["canvas_commands"][0]["at"] == 3


def test_a_place_moves_with_the_line_ends_before_it() -> None:
    commands = [{**FOCUS, "at": at} for at in range(7)]
    read = read_one(steps({"content": "a\r\nb\r\n", "canvas_commands": commands}))
    assert read["content"] == "a\nb\n"
    assert [command["at"] for command in read["canvas_commands"]] == [0, 1, 2, 2, 3, 4, 4]


def test_the_telling_form_compiles_to_text_and_places() -> None:
    step = read_one(told(FOCUS, "Hola,\r", FOCUS, "\n", "👩‍🚀", {**FOCUS, "at": None}, " fin", FOCUS))
    assert step["content"] == "Hola,\n👩‍🚀 fin"
    assert [command["at"] for command in step["canvas_commands"]] == [0, 6, 9, 13]
    assert list(step) == ["title", "type", "content", "canvas_commands"]
    assert read_one(told())["content"] == ""


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (None, "Input"),
        ([], "Input"),
        ({}, "answer_steps: Field required"),
        ({"answer_steps": {}}, "answer_steps: "),
        ({"answer_steps": []}, "answer_steps: "),
        (steps(*[{}] * (MAX_STEPS + 1)), "answer_steps: "),
        ({**steps({}), "steps": 1}, "steps: "),
        ({**steps({}), "total_duration": -1}, "total_duration: "),
        ({**steps({}), "total_duration": math.nan}, "total_duration: "),
        ({**steps({}), "total_duration": math.inf}, "total_duration: "),
        ({**steps({}), "total_duration": 10**400}, "total_duration: "),
        ({**steps({}), "total_duration": "5"}, "total_duration: "),
        ({**steps({}), "total_duration": None}, "total_duration: "),
        ({"answer_steps": ["Hola"]}, "answer_steps[0]: "),
        (steps({}, {"note": 1}), "answer_steps[1].note: "),
        (steps({"type": "video"}), "answer_steps[0].type: "),
        (steps({"title": ""}), "answer_steps[0].title: "),
        (steps({"title": " \u00a0"}), "answer_steps[0].title: "),
        (steps({"title": "a" * (MAX_TITLE + 1)}), "answer_steps[0].title: "),
        *((steps({"title": f"a{end}"}), "answer_steps[0].title: ") for end in "\n\r\x0b\x85\u2028"),
        (steps({"title": "a\0"}), "answer_steps[0].title: "),
        (steps({"title": "\udc00"}), "answer_steps[0].title: "),
        (steps({"content": None}), "answer_steps[0].content: "),
        (steps({"content": "a\0b"}), "answer_steps[0].content: "),
        (steps({"content": "a\ud800b"}), "answer_steps[0].content: "),
        (steps({"content": "a" * (MAX_CONTENT + 1)}), "answer_steps[0].content: "),
        ({"answer_steps": [{"title": "a", "type": "text"}]}, "answer_steps[0].content: "),
        (steps({"canvas_commands": None}), "answer_steps[0].canvas_commands: "),
        (steps({"canvas_commands": [FOCUS] * (MAX_COMMANDS + 1)}), "answer_steps[0].canvas_commands: "),
        (steps({"canvas_commands": ["focus"]}), "answer_steps[0].canvas_commands[0]: "),
        (steps({"canvas_commands": [{"op": "jump"}]}), "answer_steps[0].canvas_commands[0].op: "),
        (steps({"canvas_commands": [FOCUS, {**FOCUS, "at": 5}]}), "answer_steps[0].canvas_commands[1].at: "),
        (steps({"canvas_commands": [{**FOCUS, "at": 10**500}]}), "answer_steps[0].canvas_commands[0].at: "),
        (
            steps({}, {"canvas_commands": [{"op": "point", "id": "p", "x": "1", "y": 0}]}),
            "answer_steps[1].canvas_commands[0].x: ",
        ),
        (told("a", {**FOCUS, "at": 0}), "answer_steps[0].parts[1].at: "),
        (told("a", {**FOCUS, "ids": ["A"]}), "answer_steps[0].parts[1].ids[0]: "),
        (told("a", 5), "answer_steps[0].parts[1]: "),
        (told("a\0"), "answer_steps[0].content: "),
        (told("a" * MAX_CONTENT, "a"), "answer_steps[0].content: "),
        (told(*[FOCUS] * (MAX_COMMANDS + 1)), "answer_steps[0].canvas_commands: "),
        (told("a", content="a"), "answer_steps[0].content: "),
        (told("a", type="video"), "answer_steps[0].type: "),
        (told(*[""] * (MAX_CONTENT + MAX_COMMANDS + 1)), "answer_steps[0].parts: "),
        ({"answer_steps": [{**STEP, "parts": "a"}]}, "answer_steps[0].parts: "),
    ],
)
def test_what_is_refused_is_named_by_its_place(data: object, place: str) -> None:
    assert any(problem.startswith(place) for problem in problems(data))


def test_every_problem_is_told_at_once_but_not_endlessly() -> None:
    assert len(problems(steps({"title": ""}, {}, {"content": 1, "type": ""}))) == 3
    many = problems(steps({"canvas_commands": [{"op": "jump"}] * MAX_COMMANDS}))
    assert len(many) == 21 and many[-1] == "and 180 more"


def test_what_was_written_stays_out_of_the_error() -> None:
    assert "secret" not in str(problems(steps({"content": "secret\0", "type": "secret"})))


def test_the_limits_themselves_are_allowed() -> None:
    full = {
        "title": "ñ" * MAX_TITLE,
        "content": "a\r\n" * (MAX_CONTENT // 2),
        "canvas_commands": [FOCUS] * MAX_COMMANDS,
    }
    assert len(read_one(steps(full))["content"]) == MAX_CONTENT
    assert len(read_explanation(steps(*[{}] * MAX_STEPS)).answer_steps) == MAX_STEPS


def test_an_answer_is_measured_whole_in_bytes_of_utf_8() -> None:
    def compact(step_contents: list[str]) -> int:
        written = [{**STEP, "content": content} for content in step_contents]
        return len(json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode())

    contents = ["€" * 17_000] * 5 + [""]  # three bytes each
    contents[-1] = "a" * (MAX_BYTES - compact(contents))
    assert read_explanation(steps(*({"content": content} for content in contents)))
    contents[-1] += "a"
    told_so = problems(steps(*({"content": content} for content in contents)))
    assert told_so == ["answer_steps: at most 256 KiB in all"]


@pytest.mark.parametrize("key", ["answer_steps", "title", "content", "parts", "canvas_commands", "x"])
def test_deep_nesting_is_refused_calmly(key: str) -> None:
    nested: Any = {}
    for _ in range(500):
        nested = {"a": [nested]}
    data = {key: nested} if key == "answer_steps" else steps({key: nested}, {key: [nested]})
    assert problems(data)
