"""The answers file: checked whole, every problem with its line, and out again as it came in."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from answers import curation, files
from answers.errors import InvalidContent
from answers.lookup import look_up
from answers.models import Alias, Answer
from tests.answers.making import asked, generated, steps, told


def line(question: str = "¿Qué es la fuerza?", **changes: Any) -> dict[str, Any]:
    return {
        "question_text": question,
        "language": "es",
        "answer_steps": steps(),
        "total_duration": 60,
    } | changes


def as_file(rows: Iterable[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]


def problems_of(*rows: dict[str, Any] | bytes) -> list[str]:
    return files.read_lines(row if isinstance(row, bytes) else as_file([row])[0] for row in rows)[1]


def bring_in(*rows: dict[str, Any]) -> tuple[int, int, int]:
    entries, problems = files.read_lines(as_file(rows))
    assert not problems
    outcomes = files.import_entries(entries)
    return outcomes["new"], outcomes["changed"], outcomes["unchanged"]


def exported() -> list[dict[str, Any]]:
    return [json.loads(row) for row in files.export(Answer.objects.all())]


GOOD = json.dumps(line()).encode()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        (b"[]", "not a JSON object"),
        (GOOD + GOOD, "not JSON: Extra data"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 8"),
        (GOOD.replace(b"{", b'{"language": "en", ', 1), "the key “language” stands twice"),
        (GOOD.replace(b"60", b"NaN"), "NaN is no JSON number"),
        (GOOD.replace(b"60", b"-Infinity"), "-Infinity is no JSON number"),
        (GOOD.replace(b"60", b"1e999"), "a number is too large"),
        (GOOD.replace(b"60", b"9" * 5000), "Exceeds the limit"),
        (GOOD.replace(b"60", b"[" * 100_000), "nested too deeply"),
        (GOOD.replace(b"60", b"[" * 900 + b"]" * 900), "total_duration: "),
        (GOOD + b" " * 2**20, "longer than 1,048,576 bytes"),
        (line(language="?"), "language: the context's language is no language tag"),
        (line(language=None), "language: Input should be a valid string"),
        (line(question="¿?"), "question_text: the question has no letter and no digit"),
        (line(question="\0 a"), "question_text: the question holds a character"),
        (GOOD.replace(b"fuerza", b"\\ud800", 1), "question_text: "),
        (GOOD.replace(b"interacci", b"\\ud800", 1), "answer_steps[0].content: "),
        (line(answer_step=[]), "answer_step: Extra inputs"),
        (line(status="gone"), "status: Input should be"),
        (line(total_duration=-1), "total_duration: "),
        (line(answer_steps=[]), "answer_steps: "),
        (line(answer_steps=[*steps(), {**steps()[0], "title": 3}]), "answer_steps[1].title: "),
        (line(aliases="one"), "aliases: "),
        (line(aliases=["una", "…"]), "aliases[1]: the question has no letter and no digit"),
    ],
)
def test_a_problem_names_its_line_and_its_place(row: dict[str, Any] | bytes, problem: str) -> None:
    found = problems_of(line("otra"), b"\r\n", row)
    assert [text[: len("line 3: " + problem)] for text in found] == [f"line 3: {problem}"]
    found[0].encode()


def test_all_problems_of_a_line_and_of_all_lines_are_told() -> None:
    bad = line(aliases=["…"], total_duration=-1, answer_steps=[{"title": "x"}])
    found = problems_of(bad, line(), bad)
    assert len(found) > 6
    assert {text.split(":")[0] for text in found} == {"line 1", "line 3"}


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (line("qué es la fuerza"), "question_text: the same question as in line 1"),
        (line(status="retired"), "question_text: the same question as in line 1"),
        (line("Define la fuerza"), "question_text: line 1 has it among its aliases"),
        (line("la masa", aliases=["define la fuerza"]), "aliases: line 1 already has “define la fuerza”"),
        (
            line("la masa", aliases=["¿qué es la fuerza?"]),
            "aliases: “¿qué es la fuerza?” is the question of line 1",
        ),
    ],
)
def test_lines_that_contradict_each_other_are_told(second: dict[str, Any], problem: str) -> None:
    assert problems_of(line(aliases=["Define la fuerza"]), second) == [f"line 2: {problem}"]


@pytest.mark.parametrize("other", [line(subject="física"), line(language="en"), line(status="draft")])
def test_what_is_asked_elsewhere_or_only_drafted_is_no_contradiction(other: dict[str, Any]) -> None:
    assert not problems_of(line(aliases=["Define la fuerza"]), other)


def test_marks_line_ends_and_empty_lines_of_any_editor_are_read() -> None:
    raw = b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n  \n" + json.dumps(line("otra\u2028")).encode()
    entries, problems = files.read_lines(files.lines_of(io.BytesIO(raw)))
    assert not problems
    assert [entry.line for entry in entries] == [1, 4]


def test_an_endless_line_is_read_past_without_keeping_it() -> None:
    raw = io.BytesIO(b"x" * 5_000_000 + b"\n" + GOOD)
    rows = list(files.lines_of(raw))
    assert [len(row) for row in rows] == [files.MAX_LINE + 1, len(GOOD)]


def test_a_known_question_gets_its_next_version_and_what_stands_is_left_alone(student: User) -> None:
    first = line(aliases=["Define la fuerza", "qué es la fuerza"])
    assert bring_in(first, line("otra")) == (2, 0, 0)
    assert bring_in(first, line("otra")) == (0, 0, 2)
    assert bring_in(line(total_duration=61), line("otra", aliases=["una más"])) == (0, 2, 0)
    assert Answer.objects.filter(status="published").count() == 2
    assert Answer.objects.filter(status="retired").get().total_duration == 60
    assert look_up(asked("Define la fuerza"), student.id).total_duration == 61


def test_what_is_imported_counts_as_reviewed(student: User) -> None:
    answer = generated(asked(), student.id)
    row = line(answer_steps=answer.answer_steps, total_duration=answer.total_duration)
    assert bring_in(row) == (0, 1, 0)
    answer.refresh_from_db()
    assert (answer.status, answer.reviewed_at is not None) == ("published", True)


def test_a_draft_waits_beside_what_is_served_and_a_retired_one_ends_it(student: User) -> None:
    assert bring_in(line()) == (1, 0, 0)
    draft = line(status="draft", total_duration=5)
    assert [bring_in(draft), bring_in(draft)] == [(0, 1, 0), (0, 0, 1)]
    assert look_up(asked(), student.id).total_duration == 60
    for retired in (line(status="retired"), line(status="retired", total_duration=7)):
        assert [bring_in(retired), bring_in(retired)] == [(0, 1, 0), (0, 0, 1)]
        assert not look_up(asked(), student.id).cached
    assert generated(asked(), student.id).status == "draft"


def test_conflicts_with_what_is_kept_are_all_told_and_nothing_is_written(db: None) -> None:
    bring_in(line("la fuerza", aliases=["una", "otra"]))
    rows = [line("nueva"), line("Una"), line("la masa", aliases=["¿otra?"])]
    entries, _problems = files.read_lines(as_file(rows))
    with pytest.raises(InvalidContent) as caught:
        files.import_entries(entries)
    assert [problem[:30] for problem in caught.value.problems] == [
        "line 2: question_text: This is",
        "line 3: aliases: “¿otra?”: Thi",
    ]
    assert Answer.objects.count() == 1


def test_only_how_things_stand_is_exported(student: User) -> None:
    for text in ("Uno.", "Dos."):
        curation.add_version(asked(), told(text))
        curation.add_version(asked(), told(f"Borrador {text}"), files.Status.DRAFT)
        curation.retire(curation.add_version(asked("la masa"), told(text)))
    generated(asked("privada", asker=student.id, nickname="Ana"), student.id)
    told_now = [
        (row["question_text"], row.get("status"), row["answer_steps"][0]["content"]) for row in exported()
    ]
    assert told_now == [
        ("la masa", "retired", "Dos."),
        ("¿Qué es la fuerza?", "draft", "Borrador Dos."),
        ("¿Qué es la fuerza?", None, "Dos."),
    ]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
rows = st.fixed_dictionaries(
    {
        "question_text": st.sampled_from(["la fuerza", "¿Y x²?", "a\u2028b", "¿Qué es “µ”?"]),
        "language": st.sampled_from(["es", "en-GB"]),
        "answer_steps": texts.map(lambda text: steps(f"ab\n{text}\u2028")),
        "total_duration": st.floats(0, 1e9),
    },
    optional={
        "subject": st.sampled_from(["", "Física"]),
        "level": st.sampled_from(["", "  Secundaria\t1 "]),
        "status": st.sampled_from(["draft", "published", "retired"]),
        "aliases": st.lists(st.uuids().map(lambda name: f"otra {name}"), max_size=2, unique=True),
    },
)


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(rows, max_size=6))
def test_what_is_exported_can_be_imported_and_is_the_same(drawn: list[dict[str, Any]]) -> None:
    entries, _problems = files.read_lines(as_file(drawn))
    files.import_entries(entries)
    before = exported()
    again, problems = files.read_lines(as_file(before))
    assert not problems
    assert files.import_entries(again) == {"new": 0, "changed": 0, "unchanged": len(before)}
    for model in (Answer, Alias):
        model.objects.all().delete()
    files.import_entries(again)
    assert exported() == before
    Answer.objects.all().delete()
    Alias.objects.all().delete()
