"""The answers file: JSON Lines in and out, one answer a line.

A file tells how things stand, not how they came about: for each question its published answer or, without
one, the last that was retired, and beside it the latest draft.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, BinaryIO, Literal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from pydantic import BaseModel, ConfigDict, ValidationError

from answers import curation
from answers.errors import AnswersError, InvalidContent
from answers.gate import problems
from answers.models import Alias, Answer
from answers.questions import Question, primary_language, read_question
from answers.schema import Explanation, read_explanation

MAX_LINE = 2**20  # bytes; four times what an answer may hold, for escapes and spaces
Status = Answer.Status
Outcome = Literal["new", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the file, checked; `wordings` without those that are read as the question itself."""

    line: int
    question: Question
    explanation: Explanation
    status: Answer.Status
    wordings: tuple[Question, ...]


class _Line(BaseModel):
    """The keys of a line; what is in the explanation is for its own schema to say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question_text: str
    language: str
    subject: str = ""
    level: str = ""
    status: Literal["draft", "published", "retired"] = "published"
    aliases: list[str] = []
    answer_steps: Any
    total_duration: Any


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; of an overlong one only the beginning, so that it cannot fill the memory."""
    while line := stream.readline(MAX_LINE + 1):
        yield line
        while not line.endswith(b"\n") and (line := stream.readline(MAX_LINE + 1)):
            pass


def read_lines(lines: Iterable[bytes]) -> tuple[list[Entry], list[str]]:
    """Check a whole file; each problem names its line: "line 7: answer_steps[1].title: …"."""
    entries: list[Entry] = []
    found: list[str] = []
    index = _Index()
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if not text.strip():
            continue
        try:
            entry = _entry(number, text)
            index.add(entry)
        except InvalidContent as error:
            found += (f"line {number}: {problem}" for problem in error.problems)
        else:
            entries.append(entry)
    return entries, found


def read_json(text: str) -> Any:
    """Return what a text says in JSON, without Python's extensions and without a key that stands twice.

    Raises `ValueError` with a message that repeats nothing long.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} " if error.lineno > 1 else ""
        raise ValueError(f"not JSON: {error.msg} at {place}column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def import_entries(entries: Iterable[Entry]) -> Counter[Outcome]:
    """Bring the database to what the entries say, all of them or none; return how many of them were what.

    A known question gets its next version, unless it stands there as the entry has it. Wordings are added,
    never taken away. Raises `InvalidContent` with all conflicts that only the database knows of.
    """
    outcomes: Counter[Outcome] = Counter({"new": 0, "changed": 0, "unchanged": 0})
    conflicts: list[str] = []
    with transaction.atomic():
        done: list[tuple[Entry, Outcome]] = []
        for entry in entries:
            try:
                done.append((entry, _import(entry)))
            except curation.WordingTaken as error:
                conflicts.append(f"line {entry.line}: question_text: {error}")
        for entry, outcome in done:  # after all answers: what a line retires may free a wording of another
            known = set(
                Alias.objects.filter(answer_hash=entry.question.key).values_list("question_hash", flat=True)
            )
            missing = [wording for wording in entry.wordings if wording.key not in known]
            for wording in missing:
                try:
                    curation.add_alias(wording, entry.question.key)
                except curation.WordingTaken as error:
                    conflicts.append(f"line {entry.line}: aliases: {_shown(wording.text)}: {error}")
            outcomes["changed" if missing and outcome == "unchanged" else outcome] += 1
        if conflicts:
            raise InvalidContent(conflicts)
    return outcomes


def export(answers: QuerySet[Answer]) -> Iterator[str]:
    """Yield the lines that say how these answers stand, ready to be imported elsewhere.

    Left out: what a later version has replaced, and answers that belong to one student alone.
    """
    wordings: dict[str, list[str]] = {}
    for key, text in Alias.objects.order_by("created_at", "pk").values_list("answer_hash", "question_text"):
        wordings.setdefault(key, []).append(text)
    same = answers.filter(question_hash=OuterRef("question_hash"), status=OuterRef("status"))
    later = same.filter(
        Q(created_at__gt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk"))
    )
    served = Answer.objects.filter(question_hash=OuterRef("question_hash"), status=Status.PUBLISHED)
    standing = answers.filter(~Exists(later), private=False).exclude(Exists(served), status=Status.RETIRED)
    for answer in standing.order_by("language", "question_text", "subject", "level", "status").iterator(100):
        optional = {
            "subject": answer.subject,
            "level": answer.level,
            "status": "" if answer.status == Status.PUBLISHED else answer.status,
            "aliases": wordings.get(answer.question_hash),
        }
        yield json.dumps(
            {
                "question_text": answer.question_text,
                "language": answer.language,
                **{key: value for key, value in optional.items() if value},
                "answer_steps": in_order(answer.answer_steps),
                "total_duration": answer.total_duration,
            },
            ensure_ascii=False,
            allow_nan=False,
        )


def in_order(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return steps with their keys as people read them; PostgreSQL keeps no order of keys."""
    return [
        {
            "title": step["title"],
            "type": step["type"],
            "content": step["content"],
            "canvas_commands": [{"op": command["op"], **command} for command in step["canvas_commands"]],
        }
        for step in steps
    ]


@dataclass(slots=True)
class _Index:
    """Which line speaks of which question, so that no two lines contradict each other."""

    questions: dict[tuple[str, bool], int] = field(default_factory=dict)  # by key, and whether as a draft
    keys: dict[str, int] = field(default_factory=dict)
    wordings: dict[str, tuple[int, str]] = field(default_factory=dict)  # the line, and the key it leads to

    def add(self, entry: Entry) -> None:
        key = entry.question.key
        found: list[str] = []
        first = self.questions.setdefault((key, entry.status == Status.DRAFT), entry.line)
        if first != entry.line:
            found.append(f"question_text: the same question as in line {first}")
        if key in self.wordings:
            found.append(f"question_text: line {self.wordings[key][0]} has it among its aliases")
        self.keys.setdefault(key, entry.line)
        for wording in entry.wordings:
            line, leads_to = self.wordings.setdefault(wording.key, (entry.line, key))
            if leads_to != key:
                found.append(f"aliases: line {line} already has {_shown(wording.text)}")
            if wording.key in self.keys:
                found.append(
                    f"aliases: {_shown(wording.text)} is the question of line {self.keys[wording.key]}"
                )
        if found:
            raise InvalidContent(found)


def _entry(number: int, line: bytes) -> Entry:
    """Return what a line says. Raises `InvalidContent` with all its problems."""
    if len(line) > MAX_LINE:
        raise InvalidContent([f"longer than {MAX_LINE:,} bytes"])
    try:
        data = read_json(line.decode())
        if not isinstance(data, dict):
            raise InvalidContent(["not a JSON object"])
        head = _Line.model_validate(data)
    except UnicodeDecodeError as error:
        raise InvalidContent([f"not UTF-8 at byte {error.start + 1}"]) from None
    except ValidationError as error:
        raise InvalidContent(problems(error)) from None
    except ValueError as error:
        raise InvalidContent([str(error)]) from None
    found: list[str] = []
    question, wordings = _questions(head, found)
    try:
        explanation = read_explanation(
            {"answer_steps": head.answer_steps, "total_duration": head.total_duration}
        )
    except InvalidContent as error:
        raise InvalidContent(found + error.problems) from None
    if question is None or found:
        raise InvalidContent(found)
    others = {wording.key: wording for wording in wordings if wording.key != question.key}
    return Entry(number, question, explanation, Status(head.status), tuple(others.values()))


def _questions(head: _Line, found: list[str]) -> tuple[Question | None, list[Question]]:
    """Return what a line asks, and the other wordings of it; problems are added to `found`."""
    try:
        context = {"language": primary_language(head.language), "subject": head.subject, "level": head.level}
    except AnswersError as error:
        found.append(f"language: {error}")
        return None, []
    texts = {"question_text": head.question_text}
    texts |= {f"aliases[{index}]": text for index, text in enumerate(head.aliases)}
    questions = []
    for place, text in texts.items():
        try:
            questions.append(read_question(text, context))
        except AnswersError as error:
            found.append(f"{place}: {error}")
    return (None, []) if found else (questions[0], questions[1:])


def _import(entry: Entry) -> Outcome:
    known = Answer.objects.filter(question_hash=entry.question.key).order_by("-created_at", "-pk")
    published = known.filter(status=Status.PUBLISHED).first()
    if entry.status == Status.PUBLISHED:
        if published and _says(published, entry):
            if published.reviewed_at:
                return "unchanged"
            curation.publish(published)  # whoever imports it stands behind it
            return "changed"
    else:
        if entry.status == Status.RETIRED and published:
            curation.retire(published)
        versions = known.filter(status=entry.status)
        if (
            entry.status == Status.DRAFT
        ):  # what was generated for a student says nothing about an editor's draft
            versions = versions.filter(source=Answer.Source.CURATED)
        latest = versions.first()
        if latest and _says(latest, entry):
            return "changed" if entry.status == Status.RETIRED and published else "unchanged"
    outcome: Outcome = "changed" if known.exists() else "new"
    curation.add_version(entry.question, entry.explanation, entry.status)
    return outcome


def _says(answer: Answer, entry: Entry) -> bool:
    return (
        answer.question_text == entry.question.text
        and answer.answer_steps == entry.explanation.steps_json()
        and answer.total_duration == entry.explanation.total_duration
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _value in pairs).items() if count > 1)
        raise ValueError(f"the key {_shown(twice)} stands twice")
    return unique


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


def _shown(text: str) -> str:
    return ascii(text[:60]) if not text.isprintable() else f"“{text[:60]}”"
