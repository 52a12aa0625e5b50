"""Where text may be cut: clusters and formulas stay whole, and what was certain stays certain."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from answers.text import MAX_CLUSTER, MAX_FORMULA, Cuts, sentence_at, sentences

FAMILY, SPAIN, FRANCE = "👩\u200d👩\u200d👧", "🇪🇸", "🇫🇷"

PLAIN = [*"ab5 $$$$\\\n\r\t.áé—€", "\r\n", "\n\n", "\n \n", "z" * 140]
FORMULAS = ["$x$", "$$y^2$$", " $5 ", "\\$", "$" + "w" * 296]
MARKS = ["e\u0301", "\u0301", "\u0301" * 70, "\u200d", "\u0600", "\u00ad"]
LETTERS = [FAMILY, SPAIN, "🇪", "👍🏽", "\u1100\u1161\u11a8", "각", "क्षि", "ำ"]
PIECES = st.sampled_from([*PLAIN, *FORMULAS, *MARKS, *LETTERS])
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def slow_cuts(text: str) -> list[int]:
    """Return every cut of a finished text, straight from the rules."""
    cuts, position = {0}, 0
    for cluster in regex.findall(r"\X", text):
        position += len(cluster)
        cuts |= {position, *range(position - len(cluster), position, MAX_CLUSTER)}
    at = 0
    while at < len(text):
        end = slow_formula_end(text, at) or at + 1
        cuts -= set(range(at + 1, end))
        at = end
    return sorted(cuts)


def slow_formula_end(text: str, start: int) -> int | None:
    def unescaped(at: int) -> bool:
        before = text[:at]
        return (len(before) - len(before.rstrip("\\"))) % 2 == 0

    if text[start] != "$" or not unescaped(start):
        return None
    mark = "$$" if text[start : start + 2] == "$$" else "$"
    inside = start + len(mark)
    closings = (at for at in range(inside, len(text)) if text.startswith(mark, at) and unescaped(at))
    close = next(closings, None)
    if close is None:
        return None
    body, end = text[inside:close], close + len(mark)
    lines = body.split("\n")
    is_formula = (
        body
        and body == body.strip()
        and all(line.strip() for line in lines[1:-1])
        and not text[end : end + 1].isdecimal()
        and end - start <= MAX_FORMULA
    )
    return end if is_formula else None


def cuts_of(cuts: Cuts, content: str, closed: bool = True) -> list[int]:
    places = range(cuts.certain(content, closed) + 1)
    return [place for place in places if cuts.floor(content, closed, place) == place]


def chunks(content: str, size: int, slack: int) -> list[str]:
    cuts, start, parts = Cuts(), 0, []
    while (end := cuts.chunk_end(content, True, start, size, slack)) > start:
        parts.append(content[start:end])
        start = end
    return parts


@given(TEXTS)
def test_cuts_are_those_of_the_rules(text: str) -> None:
    assert cuts_of(Cuts(), text) == slow_cuts(text)


@given(TEXTS, st.lists(st.integers(1, 40), min_size=1))
def test_a_certain_cut_of_a_growing_text_is_a_cut_of_every_longer_one(text: str, steps: list[int]) -> None:
    final, growing, length, before = slow_cuts(text), Cuts(), 0, 0
    while length < len(text):
        length = min(len(text), length + steps[length % len(steps)])
        certain = growing.certain(text[:length], False)
        assert before <= certain < length, "something is held back for the last chunk"
        assert cuts_of(growing, text[:length], False) == [cut for cut in final if cut <= certain]
        before = certain
    assert cuts_of(growing, text) == final


@given(TEXTS, st.integers(0, 200))
def test_floor_is_the_greatest_cut_not_behind_a_position(text: str, position: int) -> None:
    assert Cuts().floor(text, True, position) == max(cut for cut in slow_cuts(text) if cut <= position)


@given(TEXTS, st.integers(1, 30), st.integers(0, 15))
def test_chunks_are_the_text_cut_at_cuts(text: str, size: int, slack: int) -> None:
    parts = chunks(text, size, slack)
    assert "".join(parts) == text
    allowed, end = set(slow_cuts(text)), 0
    for part in parts:
        end += len(part)
        assert end in allowed


@given(TEXTS, st.integers(0, 60), st.integers(1, 30), st.integers(0, 15), st.booleans())
def test_a_chunk_ends_at_the_nearest_word_end_else_the_nearest_cut(
    text: str, start: int, size: int, slack: int, closed: bool
) -> None:
    cuts = Cuts()
    start, target = cuts.floor(text, closed, start), cuts.floor(text, closed, start) + size
    later = [cut for cut in cuts_of(cuts, text, closed) if cut > start]
    word_ends = [
        cut
        for cut in later
        if abs(cut - target) <= slack and text[cut - 1].strip() and not text[cut : cut + 1].strip()
    ]
    end = cuts.chunk_end(text, closed, start, size, slack)
    if not later:
        assert end == start
    else:
        nearest = min(abs(cut - target) for cut in word_ends or later)
        assert end in (word_ends or later)
        assert abs(end - target) == nearest


@pytest.mark.parametrize(
    ("rule", "clusters"),
    [
        ("GB1-2 the ends", ["a"]),
        ("GB3 CR LF", ["a", "\r\n", "b"]),
        ("GB4 after a control", ["\n", "\u0301", "\r", "\r", "a"]),
        ("GB5 before a control", ["a", "\r", "a", "\u200b", "a", "\u00ad"]),
        ("GB6 Hangul L", ["\u1100\u1100\u1161", "\u1100\uac00", "\u1100\uac01"]),
        ("GB7 Hangul LV V", ["\uac00\u1161\u11a8", "\u1161\u1161"]),
        ("GB8 Hangul LVT T", ["\uac01\u11a8\u11a8", "\uac01", "a", "\u11a8\u11a8"]),
        ("GB9 extenders and joiners", ["n\u0303", "e\u0301\u0323", "a\u200d", "b", "☺\ufe0f"]),
        ("GB9a spacing marks", ["नि", "กำ"]),
        ("GB9b prepended marks", ["\u0600\u0661", "a"]),
        ("GB9c Indic conjuncts", ["क्षि", "क\u094d\u200dष", "क", "ष"]),
        ("GB11 emoji sequences", [FAMILY, "👍🏽", "👩", "a\u200d", "👧"]),
        ("GB12 flags from the start", [SPAIN, FRANCE, "🇪"]),
        ("GB13 flags after text", ["a", SPAIN, FRANCE, "🇪", "b"]),
        ("GB999 any other", ["x", "²", "é", "√", "漢", "𝑥", "-"]),
    ],
)
def test_a_cluster_is_never_cut(rule: str, clusters: list[str]) -> None:
    ends = [len("".join(clusters[:count])) for count in range(len(clusters) + 1)]
    assert cuts_of(Cuts(), "".join(clusters)) == ends, rule


def test_an_overlong_cluster_is_cut_after_every_64() -> None:
    zalgo = "ab" + "\u0301" * 200 + "c"
    assert cuts_of(Cuts(), zalgo) == [0, 1, 65, 129, 193, 202, 203]
    assert Cuts().certain(zalgo[:130], False) == 129
    assert Cuts().certain(zalgo[:129], False) == 65, "the last piece is held back even when it is full"


@pytest.mark.parametrize(
    "formula",
    ["$x$", "$x^2 + 1$", "$$x$$", "$\\$5$", "$a\\\\$", "$a\nb$", "$$a$b$$", "$5$", "$" + "x" * 298 + "$"],
)
def test_a_formula_is_never_cut(formula: str) -> None:
    assert cuts_of(Cuts(), f"{formula}s") == [0, len(formula), len(formula) + 1]
    assert cuts_of(Cuts(), formula) == [0, len(formula)]


@pytest.mark.parametrize(
    "text",
    [
        *["$5 y $10", "$ x$", "$x $", "$x\u00a0$", "\\$x$", "$x\\$", "\\$\\$x$$"],
        *["$a\n\nb$", "$a\n \t\nb$", "$x$5", "$", "$$", "$$$$", "$$ x$$", "$" + "x" * 299 + "$"],
    ],
)
def test_any_other_dollar_is_text(text: str) -> None:
    assert cuts_of(Cuts(), text) == list(range(len(text) + 1))


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("$5 o $x^2$ y", "$x^2$"),
        ("vale $5, no $10: $x$.", "$x$"),
        ("\\\\$x$", "$x$"),
        ("\\$$x$", "$x$"),
        ("$x$5 $y$", "$y$"),
        ("$$ 5 $$x$", "$x$"),
    ],
)
def test_a_price_does_not_swallow_the_formula_behind_it(text: str, formula: str) -> None:
    start = text.index(formula)
    inside = range(start + 1, start + len(formula))
    assert cuts_of(Cuts(), text) == [at for at in range(len(text) + 1) if at not in inside]


@pytest.mark.parametrize(
    ("open_text", "certain"),
    [
        ("", 0),
        ("a", 0),
        ("ab", 1),
        ("hola e\u0301", 5),
        ("vale $", 5),
        ("vale $x^", 5),
        ("vale $x$", 5),
        ("vale $x$ ", 8),
        ("vale $x$5", 7),
        ("vale $ 5", 7),
        ("vale $5 y $", 10),
        ("vale $5\n\ny", 9),
        ("vale $$x$", 5),
        ("vale $" + "x" * 298, 5),
        ("vale $" + "x" * 299, 304),
        ("vale \\", 5),
        ("vale \\$5", 7),
    ],
)
def test_an_open_step_holds_back_what_is_undecided(open_text: str, certain: int) -> None:
    assert Cuts().certain(open_text, False) == certain
    assert Cuts().certain(open_text, True) == len(open_text)


@pytest.mark.parametrize("text", ["$x$5 a", "$$x$$y", "a\\$x$ b", "$5 y $6", "a\n\r\nb", f"{SPAIN}{FRANCE}"])
def test_a_text_that_grows_by_single_characters_has_the_same_cuts(text: str) -> None:
    cuts = Cuts()
    for length in range(len(text)):
        cuts.certain(text[:length], False)
    assert cuts_of(cuts, text) == slow_cuts(text)


def test_a_step_that_closes_gives_what_was_held_back() -> None:
    cuts = Cuts()
    assert cuts.chunk_end("ab $x$", False, 0, 50, 12) == 3
    assert cuts.chunk_end("ab $x$", False, 3, 50, 12) == 3
    assert cuts.chunk_end("ab $x$", True, 3, 50, 12) == 6


def test_chunks_end_at_word_ends_and_keep_the_mean() -> None:
    text = "La derivada mide cuánto cambia una función, y la pendiente de $x^2$ es su ejemplo.\n" * 100
    parts = chunks(text, 50, 12)
    assert all(not part[-1].isspace() for part in parts[:-1])
    assert all(part[0].isspace() for part in parts[1:])
    assert 45 < len(text) / len(parts) < 55


@pytest.mark.parametrize(
    ("size", "slack", "end"),
    [(5, 1, 4), (5, 0, 5), (6, 1, 6), (6, 2, 4), (7, 1, 8), (9, 5, 8), (10, 3, 8), (11, 2, 13), (40, 5, 13)],
)
def test_the_nearest_word_end_within_the_slack_wins(size: int, slack: int, end: int) -> None:
    """Words end at 4, 8 and 13."""
    assert Cuts().chunk_end("unos dos gato", True, 0, size, slack) == end


def test_a_run_of_spaces_holds_one_word_end() -> None:
    assert Cuts().chunk_end("unos   dos", True, 0, 6, 2) == 4


def test_a_word_longer_than_the_chunk_is_cut_near_its_size() -> None:
    assert [len(part) for part in chunks("x" * 130, 50, 12)] == [50, 50, 30]


def test_an_open_step_does_not_take_its_last_character_for_a_word_end() -> None:
    assert Cuts().chunk_end("una pal", False, 0, 6, 2) == 6
    assert Cuts().chunk_end("una pal", True, 0, 6, 2) == 7


def test_a_growing_text_is_scanned_once() -> None:
    """Rescanning from the beginning at every piece would take far more than this generous bound."""
    text = ("La raíz de $x^2 = 2$ — “irracional” — cuesta $5; ½ y 😀. " * 400)[:20_000]
    cuts, started = Cuts(), time.perf_counter()
    for length in range(0, len(text), 4):
        cuts.certain(text[:length], False)
    assert sum(map(len, chunks(text, 50, 12))) == len(text)
    assert time.perf_counter() - started < 2


# --- Sentences -------------------------------------------------------------------------------------

VECTORS = (
    Path(__file__).parent.parent / "js" / "frontend" / "sentences.json"
)  # the page's function has them too


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text()), ids=lambda vector: vector["text"][:20])
def test_sentences(vector: dict[str, Any]) -> None:
    text = vector["text"]
    assert sentences(text) == [tuple(ends) for ends in vector["sentences"]]
    for position, start, end in vector.get("at", []):
        assert sentence_at(text, position) == text[start:end]


@given(TEXTS)
def test_sentences_are_all_of_a_text_but_space_and_cut_no_formula(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())
    ends = {end for _, end in found}
    at = 0
    while at < len(text):
        end = slow_formula_end(text, at) or at + 1
        assert not ends & set(range(at + 1, end)) or "\n" in text[at:end]
        at = end


@pytest.mark.parametrize("piece", ["a. ", "$a.$ b. ", ".", "$", "! ", "\n", "$a. ", "x.)"])
def test_no_text_takes_long_to_divide(piece: str) -> None:
    began = time.perf_counter()
    sentences((piece * 20_000)[:20_000])
    assert time.perf_counter() - began < 0.5
