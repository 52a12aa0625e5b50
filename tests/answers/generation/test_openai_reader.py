"""What a model writes becomes pieces, whole and as soon as they are certain, however it arrives."""

import json
import time
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers.errors import AiInvalidAnswer
from answers.generation.base import Drawn, Piece, Plan, Said, StepClosed, StepOpened
from answers.generation.openai.reader import MAX_RAW, AnswerReader
from answers.recording import Recording
from answers.schema import MAX_BYTES, MAX_COMMANDS, MAX_CONTENT, MAX_STEPS
from tests.model_server import answer, tokens

PAGE = {"op": "page", "id": "p"}


def read(deltas: Iterable[str], written: Recording | None = None) -> list[Piece]:
    """Return the pieces of a whole answer, adjacent words joined."""
    reader = AnswerReader(written)
    pieces: list[Piece] = []
    for delta in deltas:
        for piece in reader.feed(delta):
            if isinstance(piece, Said) and pieces and isinstance(pieces[-1], Said):
                pieces[-1] = Said(pieces[-1].text + piece.text)
            else:
                pieces.append(piece)
    reader.close()
    return pieces


def says(string: str) -> str:
    """Return an answer of one step that says what the JSON string literal `string` holds."""
    return '{"steps": [{"title": "T", "type": "text", "parts": [{"say": "' + string + '"}]}]}'


def said(string: str) -> str:
    return "".join(piece.text for piece in read([says(string)]) if isinstance(piece, Said))


def invalid(text: str, written: Recording | None = None) -> bool:
    with pytest.raises(AiInvalidAnswer):
        read([text], written)
    return True


def recording(*contents: str, open_step: bool = True) -> Recording:
    written = Recording("es")
    written.plan(4, 60)
    for number, content in enumerate(contents, 1):
        written.begin_step(f"Step {number}", "text")
        written.say(content)
        if not open_step or number < len(contents):
            written.end_step()
    return written


# --- Pieces ---------------------------------------------------------------------------------------


def test_a_whole_answer_is_told_in_order() -> None:
    text = json.dumps(
        {
            "plan": {"total_duration": 90, "titles": ["One", "Two"]},
            "steps": [
                {"title": "One", "type": "math", "parts": [{"say": "a "}, {"do": PAGE}, {"say": "b"}]},
                {"title": " Two\n", "type": "image", "parts": [{"do": {**PAGE, "title": None}}]},
            ],
        }
    )
    assert read([text]) == [
        Plan(("One", "Two"), 90.0),
        StepOpened("One", "math"),
        Said("a "),
        Drawn(PAGE),
        Said("b"),
        StepClosed(),
        StepOpened("Two", "image"),
        Drawn(PAGE),
        StepClosed(),
    ]


def test_each_piece_is_told_as_soon_as_it_is_certain() -> None:
    reader = AnswerReader()
    for delta, pieces in (
        ('{"plan": {"titles": ["A"], "total_duration": 5', []),
        ("}", [Plan(("A",), 5.0)]),
        (', "steps": [{"title": "A", "type": "te', []),
        ('xt", "parts": [{"say": "Hel', [StepOpened("A", "text"), Said("Hel")]),
        ("lo \\", [Said("lo ")]),
        ("u00", []),
        ("f1, $\\", [Said("ñ, $")]),
        ("\\t", [Said("\\t")]),
        ('"}, {"do": {"op": "page", "id": "p"', []),
        ("}", [Drawn(PAGE)]),
        ("}]}", [StepClosed()]),
        ("]}", []),
    ):
        assert reader.feed(delta) == pieces, delta
    reader.close()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_an_answer_in_deltas_of_any_size_gives_the_same_pieces(size: int) -> None:
    text = answer(3)
    assert read(tokens(text, size)) == read([text])


# What stands for itself in JSON: the controls that LaTeX is mistaken for, and formulas, have their own tests.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\b\f\r\t$"), max_size=30)
PART = st.builds(lambda text: {"say": text}, TEXT) | st.just({"do": PAGE})
STEP = st.fixed_dictionaries(
    {"title": TEXT, "type": st.sampled_from(["text", "math", "image"]), "parts": st.lists(PART, max_size=5)}
)


@given(
    steps=st.lists(STEP, min_size=1, max_size=4),
    ascii_only=st.booleans(),
    indent=st.none() | st.just(2),
    data=st.data(),
)
def test_any_answer_cut_anywhere_says_exactly_what_was_written(
    steps: list[dict[str, Any]], ascii_only: bool, indent: int | None, data: st.DataObject
) -> None:
    steps.append({"title": "End", "type": "text", "parts": [{"say": "end"}]})
    text = json.dumps({"steps": steps}, ensure_ascii=ascii_only, indent=indent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    pieces = read(text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True))
    assert pieces == read([text])
    wanted = "".join(part.get("say", "") for step in steps for part in step["parts"])
    assert "".join(piece.text for piece in pieces if isinstance(piece, Said)) == wanted
    assert sum(isinstance(piece, Drawn) for piece in pieces) == text.count('"do"')


@given(
    st.lists(
        st.text(st.sampled_from('{}[]":,\\ud8n0-9.etps" stepaysilo\n\0\ud83d\ude00'), max_size=20) | st.text()
    )
)
def test_garbage_raises_nothing_but_an_invalid_answer(deltas: list[str]) -> None:
    for beginning in ("", '{"steps": [', '{"steps": [{"title": "T", "parts": [{"say": "'):
        try:
            read([beginning, *deltas])
        except AiInvalidAnswer:
            continue


def test_reading_takes_linear_time() -> None:
    """100 KB in single characters; reading all again for each of them would take minutes."""
    text = json.dumps({"steps": [{"title": "T", "type": "text", "content": "añb\n$x$ \\frac " * 1100}] * 6})
    assert len(text) > 100_000
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 5


# --- Other shapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"steps":[{"title":"T","type":"math","content":"ab","canvas_commands":[{"op":"page","id":"p","at":1}]}],'
        '"total_duration":9}',
        '{"steps":[{"canvas_commands":[{"op":"page","id":"p"}],"content":"ab","type":"math","title":"T"}]}',
        '{"steps":[{"title":"T","type":"math","parts":["a","b",{"op":"page","id":"p"}]}]}',
        '{"steps":[{"title":"T","type":"math","parts":[{"say":"ab","do":{"op":"page","id":"p"}}]}]}',
        '{"steps":[{"title":"T","type":"math","parts":[{"say":"ab","do":null},{"say":null,"do":{"op":"page",'
        '"id":"p"}}]}]}',
        '{"x":[{}],"steps":[{"title":"T","type":"math","x":1,"parts":[5,{"say":"ab"},{"do":{"op":"page",'
        '"id":"p"}},],},],}',
        'Here:\n```json\n{"steps":[{"title":"T","type":"math","content":"ab","canvas_commands":[{"op":"page",'
        '"id":"p"}]}]}\n```\nAnything "else"? {',
    ],
)
def test_the_shapes_of_servers_without_schemas_are_read(text: str) -> None:
    """Content and commands apart, parts written plainly, commas too many, words round the object."""
    pieces = read(tokens(text, 3))
    assert pieces == [Plan((), 0.0), StepOpened("T", "math"), Said("ab"), Drawn(PAGE), StepClosed()]


def test_what_a_step_does_not_say_of_itself_is_made_up() -> None:
    text = {
        "total_duration": 20,
        "plan": {"titles": ["First", 7], "total_duration": "long"},
        "steps": [
            {"content": "a"},
            {"parts": []},
            {"title": " ", "type": ["text"], "content": "b"},
            {"title": "T", "content": "c", "type": "math"},
        ],
    }
    assert read([json.dumps(text)]) == [
        Plan(("First", ""), 0.0),
        StepOpened("First", "text"),
        Said("a"),
        StepClosed(),
        StepOpened("3", "text"),
        Said("b"),
        StepClosed(),
        StepOpened("T", "text"),
        Said("c"),
        StepClosed(),
    ]


def test_a_bad_command_is_dropped_and_noted() -> None:
    commands = [{"op": "fly"}, {"op": ["x"]}, {"op": "page", "id": "É"}, "page", PAGE]
    reader = AnswerReader()
    pieces = reader.feed(json.dumps({"steps": [{"title": "T", "content": "a", "canvas_commands": commands}]}))
    reader.close()
    assert [piece for piece in pieces if isinstance(piece, Drawn)] == [Drawn(PAGE)]
    assert [reason.partition(":")[0] for reason in reader.dropped] == [
        "unknown",
        "unknown",
        "page",
        "unknown",
    ]


# --- Text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"\frac{1}{2} \beta \rho \bar x", r"\frac{1}{2} \beta \rho \bar x"),
        (r"\theta \times \text{a} \tan x", r"\theta \times \text{a} \tan x"),
        (r"\sqrt 2 \pi \(x\) \{1\} \, \$5", r"\sqrt 2 \pi \(x\) \{1\} \, \$5"),
        (r"\underline{u} \uparrow \u00e", r"\underline{u} \uparrow \u00e"),
        (r"\\frac \\theta \\\\ \\nabla \\u0041", r"\frac \theta \\ \nabla \u0041"),
        (r"$\nabla f \neq \nu$ 7\nu 8", "$\\nabla f \\neq \\nu$ 7\nu 8"),
        (r"\$5 o $6,\n\nu $x$\ne", "\\$5 o $6,\n\nu $x$\ne"),
        (r"$$\nu = 1\n$$\nu", "$$\nu = 1\n$$\nu"),
        (r"$a$\n$b$\n$\nabla$", "$a$\n$b$\n$\\nabla$"),
        (r"a\tb\n\ttotal\r\nc\rd\u000d\u000ae\r", "a\tb\n\ttotal\nc\\rd\ne\n"),
        ("raw\r\nbreaks\tand\rmore", "raw\nbreaks\tand\nmore"),
        (r"\"\/\\\u00f1\u00F1\ud83d\ude00", '"/\\ññ😀'),
        ("\ud83d\ude00 \\ud83d\ude00", "😀 😀"),
        (r"\b\f1", "\b\f1"),
    ],
)
def test_escapes_are_read_as_they_were_meant(literal: str, text: str) -> None:
    assert said(literal) == text
    assert read(says(literal)) == read([says(literal)])


def test_formulas_in_commands_are_repaired_too() -> None:
    command = r'{"op": "math", "id": "m", "x": 1, "y": 2, "tex": "\nu\frac12"}'
    drawn = read(['{"steps": [{"title": "T", "parts": ["a", {"do": ' + command + "}]}]}"])[3]
    assert isinstance(drawn, Drawn)
    assert drawn.command["tex"] == r"\nu\frac12"


@pytest.mark.parametrize(
    "string", ["\0", r"\u0000", r"\ud83d", r"\ude00", r"\ud83d\n", "a\ud83d", "\ude00\ud83d"]
)
def test_text_that_cannot_be_stored_is_invalid(string: str) -> None:
    assert invalid(says(string))


# --- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        says("x" * (MAX_CONTENT + 1)),
        json.dumps({"steps": [{"title": "T", "content": "x"}] * (MAX_STEPS + 1)}),
        json.dumps({"steps": [{"title": "T", "content": "ñ" * (MAX_BYTES // 40)}] * 21}, ensure_ascii=False),
        '{"x":' + "[" * 51,
        '{"steps":' + " " * MAX_RAW,
        '{"x": ' + "9" * 5000,
    ],
    ids=["step", "steps", "bytes", "nesting", "space", "number"],
)
def test_what_grows_beyond_a_limit_ends_at_once(text: str) -> None:
    """Before its end, that is: the model is not listened to any longer."""
    reader = AnswerReader()
    with pytest.raises(AiInvalidAnswer):
        reader.feed(text.removesuffix('"}]}]}'))


def test_commands_beyond_the_limit_are_dropped() -> None:
    commands = [{"do": PAGE}] * (MAX_COMMANDS + 1)
    reader = AnswerReader()
    pieces = reader.feed(json.dumps({"steps": [{"title": "T", "parts": ["a", *commands]}]}))
    assert sum(isinstance(piece, Drawn) for piece in pieces) == MAX_COMMANDS
    assert len(reader.dropped) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot say that in JSON.",
        "{}",
        "[]",
        '{"message": "Hello!"}',
        '{"steps": []}',
        '{"steps": null}',
        '{"steps": ["one"]}',
        '{"steps": [{"title": "T", "content": " \\n"}]}',
        '{"steps": [{"title": "T", "content": "a"}]',
        '{"steps": [{"title": "T", "content": "a',
        '{"steps": [{"title": "T", "content": "a"}}',
        '{"steps": [{title: "T"}]}',
        '{"steps": [{"title" "T"}]}',
        '{"x": 1e999, "steps": [{"title": "T", "content": "a"}]}',
        '{"x": 0.5, "y": nil, "steps": [{"title": "T", "content": "a"}]}',
    ],
)
def test_what_is_no_answer_is_invalid(text: str) -> None:
    assert invalid(text)


# --- Going on -------------------------------------------------------------------------------------

TEXT_SO_FAR = "The derivative of a sum is the su"


def test_the_open_step_goes_on_before_the_remaining_ones() -> None:
    text = (
        '{"rest": [{"say": "m."}, {"do": {"op":"page","id":"p"}}], "steps": [{"title": "B", "parts": ["b"]}]}'
    )
    assert read(tokens(text), recording("a", TEXT_SO_FAR)) == [
        Said("m."),
        Drawn(PAGE),
        StepClosed(),
        StepOpened("B", "text"),
        Said("b"),
        StepClosed(),
    ]


@pytest.mark.parametrize("rest", ["[]", '""', "null"])
def test_a_step_that_says_all_is_closed(rest: str) -> None:
    assert read(['{"rest": ' + rest + ', "steps": []}'], recording(TEXT_SO_FAR)) == [StepClosed()]


def test_behind_a_closed_step_only_steps_follow() -> None:
    text = '{"plan": {"titles": ["X"]}, "rest": ["no"], "steps": [{"content": "b"}]}'
    pieces = read([text], recording("a", open_step=False))
    assert pieces == [StepOpened("2", "text"), Said("b"), StepClosed()]
    assert read(['{"steps": []}'], recording("a", open_step=False)) == []


@pytest.mark.parametrize(
    ("rest", "new"),
    [
        ([TEXT_SO_FAR + "m."], "m."),
        ([TEXT_SO_FAR[:9], PAGE, TEXT_SO_FAR[9:], "m."], "m."),
        ([TEXT_SO_FAR], ""),
        (["m: The derivative of a sum"], "m: The derivative of a sum"),
        (["The derivative of a sum", " is this."], "The derivative of a sum is this."),
        ([TEXT_SO_FAR[:-1]], TEXT_SO_FAR[:-1]),
    ],
)
def test_only_a_repetition_of_the_whole_open_step_is_passed_over(rest: list[Any], new: str) -> None:
    pieces = read(tokens(json.dumps({"rest": rest, "steps": []}), 1), recording(TEXT_SO_FAR))
    assert pieces == ([Said(new)] if new else []) + [StepClosed()]


def test_a_short_beginning_may_be_said_again() -> None:
    assert read(['{"rest": "So so", "steps": []}'], recording("So ")) == [Said("So so"), StepClosed()]


@pytest.mark.parametrize(
    "text",
    [
        '{"steps": [{"content": "b"}]}',
        "{}",
        json.dumps({"rest": ["x" * (MAX_CONTENT - len(TEXT_SO_FAR) + 1)]}),
        json.dumps({"rest": [], "steps": [{"content": "x"}] * MAX_STEPS}),
    ],
    ids=["no rest", "nothing", "step", "steps"],
)
def test_what_goes_on_keeps_to_the_limits_of_the_whole(text: str) -> None:
    assert invalid(text, recording(TEXT_SO_FAR))


def test_what_goes_on_counts_with_what_is_written() -> None:
    written = recording(*["x" * MAX_CONTENT] * (MAX_BYTES // MAX_CONTENT), TEXT_SO_FAR)
    assert invalid('{"rest": "' + "x" * 2000 + '", "steps": []}', written)
