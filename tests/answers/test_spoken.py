"""Mathematics read aloud, in the words that the page has too."""

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers import spoken
from answers.spoken import Tongue, spoken_text

ROOT = Path(__file__).parent.parent
VECTORS = json.loads((ROOT / "js" / "frontend" / "spoken.json").read_text(encoding="utf-8"))
TABLE = json.loads(Path(spoken.__file__).with_name("spoken_words.json").read_text(encoding="utf-8"))
PIECES = [*"\\${}^_x2 \n", "\\frac", "\\foo", "\\left(", "\\\\", "**", "$x$"]


@pytest.mark.parametrize("tongue", get_args(Tongue))
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"][:30])
def test_a_text_is_spoken_as_the_page_speaks_it(vector: dict[str, str], tongue: Tongue) -> None:
    assert spoken_text(vector["text"], tongue) == vector[tongue]


def test_every_word_is_known_in_every_language() -> None:
    tongues = get_args(Tongue)
    assert tuple(TABLE["languages"]) == tongues
    for table in (TABLE["words"], TABLE["greek"], TABLE["phrases"]):
        assert all(len(words) == len(tongues) for words in table.values())


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.sampled_from(get_args(Tongue)))
def test_no_command_is_ever_spoken(text: str, tongue: Tongue) -> None:
    assert "\\" not in spoken_text(text, tongue)
