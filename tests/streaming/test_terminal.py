"""The terminal player without a terminal: what is held, what appears when, and how it is set in lines."""

import io
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from streaming.playback import Pace
from streaming.protocol import Place, State
from streaming.terminal.formulas import readable
from streaming.terminal.reader import Drawn, Piece, Reader, Rewound, Title, reading_speed
from streaming.terminal.screen import TerminalView, keys, progress_line
from streaming.terminal.typesetting import Lines, sentence_starts, units, word_rest
from streaming.terminal.views import PlainView

FOREVER = float("inf")
PACE = Pace(10, 0.1)  # 100 code points a second at speed 1
PAUSE = {"message": "", "reason": "user"}


def chunk(step: int, text: str, position: int, is_final: bool = False) -> tuple[str, dict[str, Any]]:
    return "content_chunk", {"step": step, "chunk": text, "position": position, "is_final": is_final}


def start(total: int = 2, cached: bool = True, seconds: float = 1.0) -> tuple[str, dict[str, Any]]:
    return "explanation_start", {"total_steps": total, "cached": cached, "estimated_duration": seconds}


def step(number: int) -> tuple[str, dict[str, Any]]:
    return "step_start", {"step": number, "title": f"T{number}", "type": "text"}


def board(number: int, n: int, at: int, alt: str) -> tuple[str, dict[str, Any]]:
    return "canvas_command", {"step": number, "n": n, "at": at, "command": {"op": "text", "alt": alt}}


def at(event: str, place: tuple[int, int], **more: Any) -> tuple[str, dict[str, Any]]:
    return event, {"step": place[0], "position": place[1], **more}


def heard(*events: tuple[str, dict[str, Any]], speed: float = 1.0) -> Reader:
    reader = Reader(PACE, speed)
    return hear(reader, *events)


def hear(reader: Reader, *events: tuple[str, dict[str, Any]]) -> Reader:
    """Let the reader hear events, and that no board command of the last one is on its way."""
    for event in (*events, ("waiting_phrase", {})):
        reader.hear(*event)
    return reader


def told(shown: list[Any]) -> str:
    """Spell what appeared: titles as #n, drawings as [words], going back as <n."""
    spelled = []
    for item in shown:
        match item:
            case Title(number):
                spelled.append(f"#{number} ")
            case Drawn(words):
                spelled.append(f"[{words}]")
            case Rewound(number):
                spelled.append(f"<{number} ")
            case Piece(unit):
                spelled.append(unit.text)
    return "".join(spelled)


# --- What appears when ---------------------------------------------------------------------------------


def test_text_appears_at_the_pace_of_the_session() -> None:
    reader = heard(start(), step(1), chunk(1, "0123456789", 0))
    assert told(reader.advance(5.0)) == "#1 "
    assert told(reader.advance(5.031)) == "012"
    reader.speed = 2.0
    assert told(reader.advance(5.0511)) == "3456"
    assert told(reader.advance(9.0)) == "789"
    assert reader.shown == Place(1, 10)


def test_time_without_text_is_not_made_up_for() -> None:
    reader = heard(start(), step(1), chunk(1, "0123456789", 0))
    reader.advance(0.0)
    reader.advance(60.0)
    hear(reader, chunk(1, "abcdef", 10))
    assert told(reader.advance(60.021)) == "ab"


def test_more_than_the_pace_explains_appears_faster() -> None:
    reader = heard(start(), step(1), chunk(1, "x" * 100, 0))
    reader.advance(0.0)
    assert len(reader.advance(0.1001)) == 50


def test_a_formula_and_a_cluster_appear_whole() -> None:
    reader = heard(start(), step(1), chunk(1, "a👨‍👩‍👧$x^2$.", 0))
    reader.advance(0.0)
    seen = [told(reader.advance(0.01 * tick)) for tick in range(1, 14)]
    assert [text for text in seen if text] == ["a", "👨‍👩‍👧", "x²", "."]
    assert reader.shown == Place(1, len("a👨‍👩‍👧$x^2$."))


def test_drawings_appear_where_they_happen() -> None:
    reader = heard(start(), step(1), board(1, 0, 0, "sun"), chunk(1, "ab cd", 0), board(1, 1, 2, "ray"))
    assert told(reader.advance(0.0)) == "#1 [sun]"
    assert told(reader.advance(0.051)) == "ab[ray] cd"


@pytest.mark.parametrize("paced", [True, False])
def test_a_chunk_waits_for_its_drawings(paced: bool) -> None:
    """They are sent right behind the chunk, and may come in another packet."""
    reader = heard(start(), step(1))
    reader.hear(*chunk(1, "ab", 0))
    assert told(reader.advance(9.00 if paced else FOREVER)) == "#1 "
    reader.hear(*board(1, 0, 1, "ray"))
    assert not reader.advance(9.04 if paced else FOREVER)
    if not paced:
        reader.hear(*chunk(1, "cd", 2))
    assert told(reader.advance(9.06 if paced else FOREVER)) == "a[ray]b"


def test_a_known_drawing_again_means_nothing() -> None:
    reader = heard(start(), step(1), board(1, 0, 0, "sun"), chunk(1, "ab", 0))
    assert told(reader.advance(FOREVER)) == "#1 [sun]ab"
    hear(reader, at("streaming_resumed", (1, 2)), board(1, 0, 0, "sun"), chunk(1, "cd", 2, True))
    hear(reader, ("step_complete", {"step": 1}))
    assert told(reader.advance(FOREVER)) == "cd"


# --- Pause, seek, resume -------------------------------------------------------------------------------


def test_a_pause_rests_at_what_is_shown_and_goes_on_there() -> None:
    reader = heard(start(), step(1), chunk(1, "0123456789", 0))
    reader.advance(0.0)
    reader.advance(0.035)
    reader.resting = True
    assert not reader.advance(1.0)
    hear(reader, chunk(1, "abc", 10), at("streaming_paused", (1, 3), **PAUSE))
    assert (reader.held, reader.state) == (Place(1, 3), State.PAUSED)
    hear(reader, at("streaming_resumed", (1, 3)), chunk(1, "3456", 3))
    reader.advance(1.0)
    assert told(reader.advance(2.0)) == "3456"


def test_a_pause_from_elsewhere_lets_appear_what_was_said() -> None:
    reader = heard(start(), step(1), chunk(1, "0123456789", 0), at("streaming_paused", (1, 10), **PAUSE))
    reader.advance(0.0)
    assert told(reader.advance(1.0)) == "0123456789"


def test_a_pause_before_any_text_lasts() -> None:
    assert heard(at("streaming_paused", (1, 0), **PAUSE), start()).state is State.PAUSED


def test_going_back_cuts_text_and_board_and_shows_them_again() -> None:
    reader = heard(start(), step(1), chunk(1, "Yes. No.", 0, True), board(1, 0, 4, "a"), board(1, 1, 6, "b"))
    hear(reader, ("step_complete", {"step": 1}), step(2), chunk(2, "x", 0))
    assert told(reader.advance(FOREVER)).startswith("#1 Yes.[a] N[b]o.#2 ")
    hear(reader, at("explanation_seeked", (1, 5)), chunk(1, "No.", 5, True), board(1, 1, 6, "b"))
    hear(reader, ("step_complete", {"step": 1}), step(2))
    assert told(reader.advance(FOREVER)) == "<1 N[b]o.#2 "


def test_skipped_text_appears_at_once_with_its_drawings_and_what_follows_at_the_pace() -> None:
    reader = heard(start(), step(1), chunk(1, "abc", 0))
    reader.advance(0.0)
    hear(reader, at("explanation_seeked", (2, 0)), chunk(1, "def", 3, True))
    assert not reader.advance(0.0)  # the drawings may be on their way
    hear(reader, board(1, 0, 5, "d"), ("step_complete", {"step": 1}), step(2), chunk(2, "xyz", 0))
    assert told(reader.advance(0.0)) == "abcde[d]f#2 "
    assert told(reader.advance(0.021)) == "xy"


def test_a_chunk_at_an_earlier_position_cuts_what_stood_behind() -> None:
    reader = heard(start(), step(1), chunk(1, "abcdef", 0), chunk(1, "XY", 2), chunk(1, "", 4))
    assert told(reader.advance(FOREVER)) == "#1 abXY"


def test_what_would_leave_a_hole_is_not_taken() -> None:
    reader = heard(
        start(), step(1), chunk(1, "abc", 0), chunk(1, "xyz", 7), chunk(3, "q", 0), board(3, 0, 0, "a")
    )
    assert reader.held == Place(1, 3)


def test_a_complete_explanation_has_finished_once_it_has_appeared() -> None:
    end = ("explanation_complete", {"total_duration": 1.0, "steps_completed": 1})
    reader = heard(start(1), step(1), chunk(1, "abc", 0, True), ("step_complete", {"step": 1}), end)
    reader.advance(0.0)
    assert not reader.finished
    reader.advance(1.0)
    assert reader.finished
    hear(reader, at("explanation_seeked", (1, 0)), step(1), chunk(1, "abc", 0, True))
    assert (reader.finished, reader.state) == (False, State.PLAYING)
    assert told(reader.advance(9.0)) == "<1 #1 abc"


@pytest.mark.parametrize(
    ("position", "back"),
    [(0, (1, 5)), (4, (1, 5)), (15, (2, 0)), (20, (2, 0)), (24, (2, 0)), (31, (2, 18)), (44, (2, 18))],
)
def test_back_is_the_beginning_of_the_sentence_or_the_one_before(
    position: int, back: tuple[int, int]
) -> None:
    content = "A first sentence. " + "Then a longer one, with more."
    reader = heard(start(), step(1), chunk(1, "Yes. No.", 0, True), step(2), chunk(2, content, 0))
    reader.shown = Place(2, position)
    assert reader.sentence_back() == Place(*back)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("", [0]),
        ("One. Two! «¿Tres?» Four… five", [0, 5, 10, 19, 25]),
        ("A line\nanother\n\nparagraph", [0, 7, 16]),
        ("3.14 is it. End. ", [0, 12]),
    ],
)
def test_sentences_begin_after_marks_and_line_ends(text: str, starts: list[int]) -> None:
    assert sentence_starts(text) == starts


def test_progress_counts_characters() -> None:
    reader = heard(start(seconds=0.2), step(1), chunk(1, "0123456789", 0, True), speed=1.0)
    reader.advance(0.0)
    reader.advance(0.051)
    assert reader.progress() == (pytest.approx(0.25), pytest.approx(0.15))
    written = heard(start(3, cached=False), step(1), chunk(1, "x" * 100, 0, True), step(2))
    assert written.progress() == (0.0, pytest.approx(13.0))


def test_the_reading_speed_is_what_a_student_reads() -> None:
    assert reading_speed(Pace(50, 0.05)) == pytest.approx(0.022)
    assert reading_speed(Pace(5000, 0.01)) == 0.005


# --- Lines ---------------------------------------------------------------------------------------------


def typeset(text: str, width: int) -> str:
    lines, pieces = Lines(width), list(units(text))
    return "".join(lines.feed(piece.text, word_rest(pieces, n)) for n, piece in enumerate(pieces))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("one  two ", 8, ["one two"]),
        ("anextraordinaryword", 8, ["anextrao", "rdinaryw", "ord"]),
        ("a日本語 bc", 6, ["a日本", "語 bc"]),
        ("ab 日本語", 8, ["ab", "日本語"]),
        ("ab 👨‍👩‍👧👨‍👩‍👧 c", 6, ["ab", "👨‍👩‍👧👨‍👩‍👧 c"]),
        ("\n\na\n\n\n\nb\nc", 8, ["a", "", "b", "c"]),
        ("- one two three", 9, ["- one two", "  three"]),
        ("10. one two three", 11, ["10. one two", "   three"]),
        ("is **really bold**, 2**3", 40, ["is really bold, 2**3"]),
        ("so $x=\\frac{1}{2}$ here", 9, ["so x =", "1/2 here"]),
        ("costs \\$5 or $ 6 or $7", 40, ["costs $5 or $ 6 or $7"]),
        ("bell \x07 escape \x1b[2J", 40, ["bell escape [2J"]),
    ],
)
def test_lines_hold_whole_words(text: str, width: int, lines: list[str]) -> None:
    assert typeset(text, width).split("\n") == lines


@given(st.text(st.sampled_from("ab é日👍🏽. \n-$*\\"), max_size=80), st.integers(4, 20))
def test_no_line_is_too_long_and_no_word_is_lost(text: str, width: int) -> None:
    shown = "".join(unit.text for unit in units(text))
    typed = typeset(text, width)
    assert all(cell_len(line) <= width for line in typed.split("\n"))
    assert "".join(typed.split()) == "".join(shown.split())


@given(st.text(st.sampled_from("ab é👍🏽. \n$*\\^{}"), max_size=60))
def test_units_join_to_the_content(text: str) -> None:
    pieces = list(units(text))
    assert "".join(piece.source for piece in pieces) == text
    assert all(before.end == after.start for before, after in pairwise(pieces))


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        ("x^2-5x+6=0", "x² − 5x + 6 = 0"),
        (r"\frac{-b\pm\sqrt{b^2-4ac}}{2a}", "(−b ± √(b² − 4ac))/2a"),
        (r"4\ \mathrm{^\circ C}", "4 °C"),
        (r"\mathrm{C_3H_8+5\,O_2\longrightarrow 3\,CO_2}", "C₃H₈ + 5 O₂ → 3 CO₂"),
        (r"F_{\text{neta}}=m\cdot a", "F_neta = m · a"),
        (r"\lambda^{10}+2^{x+y}", "λ¹⁰ + 2^(x + y)"),
        (r"3{,}5\times\left(1-\sqrt[3]{8}\right)", "3,5 × (1 − ∛8)"),
        (r"90\,\%", "90 %"),
        (r"\unknown{x}", "unknownx"),
        (r"\frac{1", "1"),
        ("{" * 100, ""),
    ],
)
def test_formulas_become_plain_characters(tex: str, text: str) -> None:
    assert readable(tex) == text


# --- The screen ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meanings"),
    [
        (" ", ["pause"]),
        ("\x1b[D\x1b[C\x1bOD", ["back", "next", "back"]),
        ("+=-_", ["faster", "faster", "slower", "slower"]),
        ("q\x04", ["quit", "quit"]),
        ("CDx\x1b\x1b[A\x1b[3~ñ", []),
    ],
)
def test_keys(typed: str, meanings: list[str]) -> None:
    assert keys(typed) == meanings


@pytest.mark.parametrize("width", [10, 20, 39, 59, 79, 119])
@pytest.mark.parametrize("note", ["", "connection lost, trying again…", "a very long note " * 10])
def test_the_progress_line_never_fills_the_line(width: int, note: str) -> None:
    reader = heard(start(5), step(1), chunk(1, "abc", 0))
    line = progress_line(reader, note, width)
    assert 0 < line.cell_len <= width
    assert line.plain.startswith("1/5 ")


def test_the_progress_line_says_where_it_stands() -> None:
    reader = heard(
        start(2, seconds=90.0),
        step(1),
        chunk(1, "abc", 0),
        at("streaming_paused", (1, 3), **PAUSE),
        speed=1.25 * reading_speed(PACE),
    )
    line = progress_line(reader, "", 79).plain
    assert line.startswith("1/2 ────────────   0%  paused  1:30 left  1.25×  space go on")


def on_screen(*events: tuple[str, dict[str, Any]], **options: Any) -> str:
    out = io.StringIO()
    view = TerminalView(Console(file=out, force_terminal=True, width=30, **options))
    reader = Reader(PACE, 8.0)
    for number, event in enumerate(events):
        reader.hear(*event)
        view.draw(reader, float(number), "")
    view.last("the end")
    return out.getvalue()


def test_a_frame_leaves_the_cursor_at_the_end_of_the_text() -> None:
    written = on_screen(start(), step(1), chunk(1, "One two", 0), chunk(1, " three", 7))
    assert "\r\x1b[A\x1b[7C" in written
    assert written.endswith("\x1b[0m\n")


def test_no_color_leaves_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1;36m" in on_screen(start(), step(1), color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    written = on_screen(start(), step(1), color_system="standard")
    assert "\x1b[1m" in written
    assert "36m" not in written


def test_plain_text_is_the_explanations_own() -> None:
    out, notes = io.StringIO(), io.StringIO()
    view = PlainView(out, notes)
    reader = heard(start(), step(1), chunk(1, "**Uno**: $x^2$", 0, True), board(1, 0, 7, "eje"))
    hear(reader, ("step_complete", {"step": 1}), step(2), chunk(2, "Dos.\n", 0, True))
    hear(reader, ("explanation_complete", {"total_duration": 1.0, "steps_completed": 2}))
    view.draw(reader, 0.0, "a note")
    view.last("cached")
    assert out.getvalue() == "1. T1\n\n**Uno**\n▸ eje\n: $x^2$\n\n2. T2\n\nDos.\n"
    assert notes.getvalue() == "cached\n"
