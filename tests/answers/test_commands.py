"""The answers file from the command line."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from answers import curation
from answers.models import Answer
from tests.answers.making import asked, generated, steps, told


def line(question: str, **changes: Any) -> str:
    row = {"question_text": question, "language": "es", "answer_steps": steps(), "total_duration": 60}
    return json.dumps(row | changes) + "\n"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_an_import_says_what_came_of_it(db: None, tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text(line("una") + line("otra"))
    assert run("import_answers", str(file)) == "2 answers: 2 new, 0 changed, 0 unchanged\n"
    file.write_text(line("una") + line("otra", total_duration=1) + line("nueva"))
    assert run("import_answers", str(file)) == "3 answers: 1 new, 1 changed, 1 unchanged\n"


def test_standard_input_is_read(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(line("una").encode())))
    assert run("import_answers", "-") == "1 answers: 1 new, 0 changed, 0 unchanged\n"


@pytest.mark.parametrize("wrong", ["", "known wording"])
def test_with_a_wrong_line_every_one_is_named_and_nothing_is_written(
    db: None, tmp_path: Path, wrong: str
) -> None:
    if wrong:  # only the database knows of this one
        curation.add_alias(asked(wrong), curation.add_version(asked(), told()).question_hash)
    before = Answer.objects.count()
    file = tmp_path / "answers.jsonl"
    file.write_text(line("una") + line(wrong) + (line("dos", status="x") if not wrong else ""))
    errors = io.StringIO()
    with pytest.raises(CommandError, match="nothing was imported") as caught:
        call_command("import_answers", str(file), stderr=errors)
    assert caught.value.returncode == 1
    named = [row.split(":")[0] for row in errors.getvalue().splitlines()]
    assert named == (["line 2"] if wrong else ["line 2", "line 3"])
    assert Answer.objects.count() == before


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.jsonl: No such file"):
        run("import_answers", str(tmp_path / "none.jsonl"))
    with pytest.raises(CommandError, match=r"x\.jsonl: No such file"):
        run("export_answers", "--output", str(tmp_path / "none" / "x.jsonl"))


def test_an_export_holds_what_editors_stand_behind_unless_more_is_asked_for(
    student: User, tmp_path: Path
) -> None:
    curation.add_version(asked("a"), told("ñ\u2028"))
    curation.add_version(asked("b"), told(), curation.Status.DRAFT)
    generated(asked("c"), student.id)

    def questions(*options: str) -> list[str]:
        return [
            json.loads(row)["question_text"] for row in run("export_answers", *options).split("\n") if row
        ]

    assert questions() == ["a", "b"]
    assert questions("--unreviewed") == ["a", "b", "c"]
    assert questions("--status", "draft") == ["b"]
    file = tmp_path / "out.jsonl"
    assert not run("export_answers", "--output", str(file))
    assert file.read_bytes().decode() == run("export_answers")
    assert run("import_answers", str(file)) == "2 answers: 0 new, 0 changed, 2 unchanged\n"
