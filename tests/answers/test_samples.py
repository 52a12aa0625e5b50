"""The sample answers are the first ones that anybody sees: what they promise holds for each line."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import answers
from answers.questions import about, read_question
from answers.schema import Explanation, read_explanation
from answers.text import Cuts, sentence_at, sentences
from streaming.page_words import WORDS
from streaming.views import EXAMPLES

LINES = (Path(answers.__file__).parent / "samples" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
SAMPLES: list[dict[str, Any]] = [json.loads(line) for line in LINES]
ASKED_AGAIN = {language: words["page"]["followUp"] for language, words in WORDS.items()}
FOLLOW_UPS = [
    sample for sample in SAMPLES if sample["question_text"].startswith(ASKED_AGAIN[sample["language"]])
]
EXPLANATIONS = [sample for sample in SAMPLES if sample not in FOLLOW_UPS]
PACKAGES = Path(answers.__file__).parent.parent / "streaming" / "frontend" / "node_modules"
DRAWN = {"text", "math", "shape", "line", "axes", "plot", "point", "table"}
FORMULA = re.compile(r"(\${1,2})(?![\s$])([^$\n]+)(?<!\s)\1(?![\d$])")
CALCULATION = re.compile(r"\d\s*[-+·×*/^=]\s*\d|[²³₂]|\b[A-Za-z]\s*=")  # what should stand in a formula
LETTER = {"xs": 10, "s": 12, "m": 13.5, "l": 19, "xl": 25}  # pixels, on average

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=[sample["question_text"] for sample in SAMPLES])


@cache
def explanation(question_text: str) -> Explanation:
    sample = next(sample for sample in SAMPLES if sample["question_text"] == question_text)
    return read_explanation({key: sample[key] for key in ("answer_steps", "total_duration")})


def steps(sample: dict[str, Any]) -> list[dict[str, Any]]:
    return explanation(sample["question_text"]).steps_json()


def test_there_are_thirty_published_explanations_in_the_three_languages() -> None:
    languages = Counter(sample["language"] for sample in EXPLANATIONS)
    assert languages.total() >= 30
    assert languages["es"] >= 12
    assert languages["en"] >= 12
    assert languages["pt"] >= 3
    assert all(sample["status"] == "published" for sample in SAMPLES)
    assert not any("subject" in sample or "level" in sample for sample in SAMPLES)


def test_each_line_is_written_unescaped() -> None:
    assert [json.dumps(sample, ensure_ascii=False) for sample in SAMPLES] == LINES


def test_at_least_two_thirds_have_a_board() -> None:
    boards = [any(step["canvas_commands"] for step in steps(sample)) for sample in EXPLANATIONS]
    assert sum(boards) >= 20
    assert sum(boards) >= 2 / 3 * len(boards)


@each_sample
def test_a_sample_has_a_few_steps_of_a_readable_length(sample: dict[str, Any]) -> None:
    told = steps(sample)
    assert 3 <= len(told) <= 6
    assert all(250 <= len(step["content"]) <= 700 for step in told)
    characters = sum(len(step["content"]) for step in told)
    assert 8 <= characters / sample["total_duration"] <= 25  # a second


@each_sample
def test_mathematics_is_latex_by_the_rules_of_a_formula(sample: dict[str, Any]) -> None:
    contents = [step["content"] for step in steps(sample)]
    for content in contents:
        assert "$" not in FORMULA.sub("", content)
        assert "\\" not in FORMULA.sub("", content)
        assert not CALCULATION.search(FORMULA.sub("", content))
        for formula in FORMULA.finditer(content):
            assert len(formula[0]) <= 300
            cuts = {Cuts().floor(content, True, at) for at in range(formula.start() + 1, formula.end())}
            assert cuts == {formula.start()}
    assert all("$" in step["content"] for step in steps(sample) if step["type"] == "math")


@each_sample
def test_whatever_is_drawn_has_written_words_and_happens_at_a_cut(sample: dict[str, Any]) -> None:
    for step in steps(sample):
        for command in step["canvas_commands"]:
            if command["op"] in DRAWN:
                assert command["alt"].strip()
            assert Cuts().floor(step["content"], True, command["at"]) == command["at"]


@each_sample
def test_a_board_begins_with_its_page_and_names_only_what_stands_on_it(sample: dict[str, Any]) -> None:
    for step in steps(sample):
        commands = step["canvas_commands"]
        assert not commands or commands[0]["op"] == "page"
        board: set[str] = set()
        for command in commands:
            named = {*command.get("ids", ()), *command.get("fit", ()), command.get("in"), command.get("from")}
            named |= {command.get("to"), (command.get("place") or {}).get("ref"), None}
            assert named - {None} <= board
            if command["op"] == "erase":
                board -= set(command["ids"])
            elif command["op"] in DRAWN:
                board.add(command["id"])


@each_sample
def test_what_is_drawn_stays_inside_the_safe_margin(sample: dict[str, Any]) -> None:
    for step in steps(sample):
        for command in step["canvas_commands"]:
            if command["op"] not in DRAWN or "in" in command:
                continue
            places = list(command.get("points", ()))
            if "x" in command:
                corner = (command["x"] + command.get("w", 0), command["y"] + command.get("h", 0))
                places += [(command["x"], command["y"]), corner]
            assert all(32 <= x <= 1248 and 32 <= y <= 688 for x, y in places), command["id"]


@each_sample
def test_what_stands_in_axes_stands_within_their_ranges(sample: dict[str, Any]) -> None:
    axes: dict[str, dict[str, Any]] = {}
    for command in (command for step in steps(sample) for command in step["canvas_commands"]):
        if command["op"] == "axes":
            axes[command["id"]] = command
        elif "in" in command and command["op"] != "plot":
            ranges = axes[command["in"]]["xr"], axes[command["in"]].get("yr", (-1, 1))
            for place in command.get("points") or [(command["x"], command["y"])]:
                inside = [low <= value <= high for value, (low, high) in zip(place, ranges, strict=True)]
                assert all(inside), command["id"]


@each_sample
def test_what_is_written_has_room_on_its_line(sample: dict[str, Any]) -> None:
    for command in (command for step in steps(sample) for command in step["canvas_commands"]):
        if command["op"] == "text" and "x" in command and "w" not in command:
            breadth = len(command["text"]) * LETTER[command.get("size", "m")]
            left = command["x"] - breadth * {"center": 0.5, "right": 1}.get(command.get("align"), 0)
            assert left >= 16, command["id"]
            assert left + breadth <= 1264, command["id"]


def test_katex_sets_every_formula_without_an_error() -> None:
    formulas = []
    for sample in SAMPLES:
        for step in steps(sample):
            formulas += (formula[2] for formula in FORMULA.finditer(step["content"]))
            formulas += (command["tex"] for command in step["canvas_commands"] if command["op"] == "math")
    node = shutil.which("node", path=f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}")
    assert node
    assert (PACKAGES / "katex").is_dir(), "`make test` installs it"
    script = """
        const katex = require("katex");
        for (const tex of JSON.parse(require("fs").readFileSync(0))) {
          try { katex.renderToString(tex, { strict: "error" }); }
          catch (error) { console.log(tex, error.message); }
        }
    """
    said = subprocess.run(
        [node, "-e", script],
        input=json.dumps(formulas),
        capture_output=True,
        text=True,
        check=True,
        env={"NODE_PATH": str(PACKAGES)},
        timeout=60,
    )
    assert said.stdout == ""
    assert len(formulas) > 500


@pytest.mark.parametrize("sample", FOLLOW_UPS, ids=[sample["question_text"] for sample in FOLLOW_UPS])
def test_a_follow_up_is_what_the_page_asks_about_a_sentence(
    sample: dict[str, Any],
) -> None:
    """So whoever did not follow that sentence is answered at once, however the first question was worded."""
    ready_made = ASKED_AGAIN[sample["language"]]
    asked = {
        about(ready_made, sentence_at(step["content"], start), parent["question_text"]): (parent, step, start)
        for parent in EXPLANATIONS
        if parent["language"] == sample["language"]
        for step in steps(parent)
        for start, _end in sentences(step["content"])
    }
    parent, step, start = asked[sample["question_text"]]
    sentence = sentence_at(step["content"], start)
    assert sample["aliases"] == [about(ready_made, sentence, wording) for wording in parent["aliases"]]


def test_there_are_follow_ups_in_spanish_and_in_english() -> None:
    assert Counter(sample["language"] for sample in FOLLOW_UPS) == {"es": 2, "en": 2}


def test_what_the_page_offers_as_examples_are_no_follow_ups() -> None:
    for language in WORDS:
        latest = [sample for sample in SAMPLES if sample["language"] == language][-EXAMPLES:]
        assert len(latest) == EXAMPLES
        assert not any(sample in FOLLOW_UPS for sample in latest)


def test_no_wording_leads_to_two_answers() -> None:
    keys: Counter[str] = Counter()
    for sample in SAMPLES:
        wordings = [sample["question_text"], *sample["aliases"]]
        assert 2 <= len(sample["aliases"]) <= 4
        keys.update(read_question(text, {"language": sample["language"]}).key for text in wordings)
    assert set(keys.values()) == {1}


def test_the_language_of_each_wording_is_found_without_being_told() -> None:
    for sample in SAMPLES:
        other = "en" if sample["language"] == "es" else "es"  # what the student reads otherwise
        for text in sample["question_text"], *sample["aliases"]:
            assert read_question(text, user_language=other).language == sample["language"], text
