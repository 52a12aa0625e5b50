"""The documents say what the code does: every name and reference in their tables is followed."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from streaming.protocol import COMMANDS, Event

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SEED = (ROOT / "docs" / "seed.md").read_text()

# What the seed document names; a row may not get lost.
NAMES = """
    QuestionService QuestionService.process_question AIService AIService.generate_answer StreamingService
    StreamingService.start_streaming StreamingService.resume_streaming SessionService
    SessionService.create_session SessionService.pause_streaming SessionService.resume_streaming
    SessionService.get_session SessionService.check_paused verify_token save_answer
    question_hash question_text normalized_text answer_id cached answer_steps total_duration
    steps title type content canvas_commands
    user_id connection_id current_question current_step pause_position is_paused is_streaming created_at
    last_activity
    app/services/streaming_service.py app/services/session_service.py app/socket_events/questions.py
    app/services/ai_service.py app/services/question_service.py app/utils/text_processing.py
    tests/unit/test_socket_questions.py tests/unit/test_ai_service.py tests/unit/test_question_service.py
    tests/unit/test_text_processing.py requirements.txt documentation/STREAMING_SERVICE.md
    OPENAI_API_KEY REDIS_URL SUPABASE_URL SUPABASE_ANON_KEY CHUNK_SIZE CHUNK_DELAY DEFAULT_TTL
    TestAskQuestionHandler::test_ask_question_cached_answer
    TestAskQuestionHandler::test_ask_question_generate_with_ai
    TestPauseResumeHandlers::test_pause_explanation TestPauseResumeHandlers::test_resume_explanation
    TestStreamingService::test_start_streaming TestStreamingService::test_stream_with_canvas_commands
    TestStreamingService::test_pause_during_streaming
    TestIntegration::test_full_cached_flow TestIntegration::test_full_ai_generation_flow
"""


def first_column(document: str, heading: str) -> set[str]:
    """Return the names in backquotes in the first column of the tables of a section."""
    section = document.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@cache
def defined(path: str) -> set[str]:
    """Return the dotted names that a Python file defines."""

    def names(body: list[ast.stmt], prefix: str = "") -> set[str]:
        found = set()
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(prefix + node.name)
                if isinstance(node, ast.ClassDef):
                    found |= names(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(prefix + node.target.id)
            elif isinstance(node, ast.Assign):
                found |= {prefix + target.id for target in node.targets if isinstance(target, ast.Name)}
        return found

    return names(ast.parse((ROOT / path).read_text()).body)


def test_every_name_of_the_seed_document_has_its_row() -> None:
    rows = set(re.findall(r"^\| `([^`]+)` \|", SEED, re.MULTILINE))
    assert set(NAMES.split()) <= rows


REFERENCES = sorted(set(re.findall(r"`([\w/]+\.(?:py|md|txt)(?:::[\w.]+)?)`", SEED)))


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_leads_somewhere(reference: str) -> None:
    path, _, name = reference.partition("::")
    if path.startswith(("app/", "documentation/")):
        return  # the document's own files: the left column
    assert (ROOT / path).is_file()
    assert not name or name in defined(path)


def test_the_log_lines_are_logged() -> None:
    listener = (ROOT / "streaming" / "listener.py").read_text()
    logged = re.findall(r"\| `(\w+)`, from `streaming/listener.py` \|", SEED)
    assert len(logged) == 5
    assert all(f'"{event}"' in listener for event in logged)


def test_readme_lists_the_events() -> None:
    assert first_column(README, "Events") == {*COMMANDS, *(event.name for event in Event.__subclasses__())}


def test_readme_lists_the_settings() -> None:
    settings = (ROOT / "tutor" / "settings.py").read_text()
    read = set(re.findall(r'(?:setting|required_in_production|env\.str)\(\s*"([A-Z_]+)"', settings))
    assert first_column(README, "Settings") == read


def test_readme_lists_the_commands() -> None:
    ours = {name for name, app in get_commands().items() if app in ("accounts", "answers", "streaming")}
    assert {row.split()[0] for row in first_column(README, "Commands")} == ours


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_top_level_is_small() -> None:
    tracked = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert len(tracked - {"db.sqlite3", "staticfiles"}) <= 16
