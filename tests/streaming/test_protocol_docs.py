"""docs/protocol.md says what the code does."""

import re

from streaming.protocol import COMMANDS, ErrorCode, Event, PauseReason, State
from streaming.protocol_docs import FILE, documented

TEXT = FILE.read_text()


def test_the_tables_are_those_of_the_code() -> None:
    assert documented(TEXT) == TEXT, "run `python -m streaming.protocol_docs`"


def test_everything_of_the_contract_stands_there_once() -> None:
    rows = re.findall(r"^\| [`*]+(\w+)[`*]+ \|", TEXT, re.MULTILINE)
    names = [*COMMANDS, *{event.name: None for event in Event.__subclasses__()}, *State, *ErrorCode]
    assert rows == [str(name) for name in names]
    assert all(f"`{reason}`" in TEXT for reason in PauseReason)


def test_what_a_table_says_of_a_row() -> None:
    (asks,) = [line for line in TEXT.splitlines() if line.startswith("| `ask_question`")]
    assert "`question` string<br>" in asks and "`about?` `{session_id, step, position}`" in asks
    assert "`speed?` number, 0.005 to 8" in asks
    assert "| **complete** | `no_active_session` | complete | playing | complete | complete |" in TEXT
    assert "| **waiting** | paused | waiting | `invalid_position` | waiting | stopped |" in TEXT


def test_the_document_is_made_anew_from_whatever_its_tables_said() -> None:
    stale = re.sub(r"(<!-- (\w+) -->\n).*?(\n<!-- /\2 -->)", r"\1old\3", TEXT, flags=re.DOTALL)
    assert stale != TEXT and documented(stale) == TEXT
