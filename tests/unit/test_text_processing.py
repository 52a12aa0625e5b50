"""The small tools that stand between a question's text and its hash."""

import hashlib
import json

import pytest

from answers.errors import InvalidQuestion
from answers.questions import (
    NORMALISER,
    detect_language,
    fold,
    key,
    normalize,
    primary_language,
    read_question,
)


class TestNormalize:
    def test_trims(self) -> None:
        assert normalize("  masa \n") == "masa"

    def test_collapses_space_runs(self) -> None:
        assert normalize("la\t  masa") == "la masa"

    def test_drops_question_marks(self) -> None:
        assert normalize("¿la masa?") == "la masa"

    def test_drops_the_final_dot_of_a_sentence(self) -> None:
        assert normalize("explica la masa.") == "explica la masa"

    def test_keeps_the_final_dot_of_a_number(self) -> None:
        assert normalize("suma 3.") == "suma 3."

    def test_keeps_a_factorial(self) -> None:
        assert normalize("¿5!?") == "5!"

    def test_writes_three_dots_as_one_sign_and_keeps_them(self) -> None:
        assert normalize("2, 4, ...") == "2, 4, …"

    def test_takes_accent_and_capital_off_a_first_question_word(self) -> None:
        assert normalize("¿Cuántos años?") == "cuantos años"

    def test_keeps_accents_everywhere_else(self) -> None:
        assert normalize("dime cuántos años") == "dime cuántos años"

    def test_takes_the_capital_off_any_other_first_word(self) -> None:
        assert normalize("Calcula Pi") == "calcula Pi"

    def test_keeps_the_case_of_a_formula(self) -> None:
        assert normalize("NaCl") == "NaCl"

    def test_writes_powers_with_a_caret(self) -> None:
        assert normalize("3x² = 12") == "3x^2=12"

    def test_writes_one_minus(self) -> None:
        assert normalize("7−2") == "7-2"

    def test_closes_up_operators(self) -> None:
        assert normalize("2x + 3 = 7") == "2x+3=7"

    def test_keeps_an_implicit_product(self) -> None:
        assert normalize("x y") == "x y"

    def test_removes_what_nobody_sees(self) -> None:
        assert normalize("ma\u200bsa\ufeff") == "masa"


class TestHash:
    def test_is_the_sha256_of_canonical_json(self) -> None:
        canonical = json.dumps([NORMALISER, "masa", "es", "", ""], separators=(",", ":"))
        assert key("masa", "es") == hashlib.sha256(canonical.encode()).hexdigest()

    def test_is_the_same_every_time(self) -> None:
        assert read_question("¿Qué es la masa?").key == read_question("que es  la masa").key

    def test_differs_between_texts(self) -> None:
        assert key("masa", "es") != key("masas", "es")

    def test_differs_between_languages(self) -> None:
        assert key("pie", "es") != key("pie", "en")


class TestLabels:
    def test_folds_case_and_space(self) -> None:
        assert fold("  Física   II ") == "física ii"

    def test_takes_the_primary_language(self) -> None:
        assert primary_language("pt-BR") == "pt"

    def test_refuses_what_is_no_language(self) -> None:
        with pytest.raises(InvalidQuestion):
            primary_language("")

    def test_detects_nothing_in_a_formula(self) -> None:
        assert detect_language("y = 2x + 3") is None
