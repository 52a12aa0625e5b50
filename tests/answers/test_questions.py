"""Which texts share a key and which never do."""

import re
import unicodedata
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from answers.errors import CannotAnswer, InvalidQuestion, QuestionEmpty, QuestionTooLong
from answers.generation.maths.reading import read
from answers.questions import Question, about, detect_language, key, normalize, read_question

SAFE = {
    "canonical forms": [
        ("¿Qué es un an\u0303o?", "¿Qué es un año?"),
        ("300 \u212a", "300 K"),
        ("5 \u212b", "5 Å"),
        ("2 \u2126", "2 Ω"),
        ("a \u003d\u0338 b", "a ≠ b"),
    ],
    "space runs": [
        ("¿Qué  es la fuerza? ", "¿Qué es la fuerza?"),
        ("qué\u00a0es\u2009la\tfuerza", "qué es la fuerza"),
        ("¿Qué es\nla fuerza?", "¿Qué es la fuerza?"),
        ("  ¿Qué es\r\n\r\n  la fuerza?", "¿Qué es la fuerza?"),
        ("Explica.\n¿Qué es la fuerza?", "Explica. ¿Qué es la fuerza?"),
        ("1\u202f000 metros", "1 000 metros"),
    ],
    "spaces round an operator": [
        ("2x + 3 = 7", "2x+3=7"),
        ("Resuelve 2x + 3 = 7", "resuelve 2x+3 =7"),
        ("¿Cuánto es 5 - 3?", "¿Cuánto es 5-3?"),
        ("a - b", "a-b"),
        ("x = -3", "x=-3"),
        ("2 * -3", "2*-3"),
        ("x ^ 2", "x^2"),
        ("2 ** 3", "2**3"),
        ("5 m / s", "5 m/s"),
        ("(a+b) / 2", "(a+b)/2"),
        ("2*x + 3", "2*x+3"),
        ("a + b / c", "a+b/c"),
        ("sen x = 1", "sen x=1"),
        ("x < 3", "x<3"),
        ("x ≤ 3", "x≤ 3"),
        ("derivada de x^2 + 3x", "derivada de x^2+3x"),
        ("A -> B", "A->B"),
        ("3 · x", "3·x"),
    ],
    "invisible characters": [
        ("fuer\u200bza", "fuerza"),
        ("fuer\u00adza", "fuerza"),
        ("\ufefffuerza\u2060", "fuerza"),
        ("\u202afuerza\u202c y \u2067masa\u2069\u200e", "fuerza y masa"),
        ("fuer\u200c\u200dza", "fuerza"),
        ("n\u200b\u0303", "ñ"),
    ],
    "the question's edges": [
        ("¿Qué es un ion?", "Qué es un ion"),
        ("¿¿Qué es un ion???", "Qué es un ion?"),
        ("Qué es un ion ?", "¿Qué es un ion"),
        ("Explica el ion.", "Explica el ion"),
        ("¿Cuánto es 5!?", "Cuánto es 5!"),
        ("¿Qué es C++?", "Qué es C++"),
        ("¡Explica la fuerza!", "Explica la fuerza"),
        ("¿Cuánto vale f(2)?", "Cuánto vale f(2)"),
        ("2, 4, 6, ...", "2, 4, 6, …"),
    ],
    "typographic quotes and dashes": [
        ("¿Qué es el “agua”?", '¿Qué es el "agua"?'),
        ("¿Qué es el «agua»?", '¿Qué es el "agua"?'),
        ("what is l’eau", "what is l'eau"),
        ("la ‘masa’", "la 'masa'"),
        ("norte–sur", "norte-sur"),
        ("la célula — su núcleo", "la célula - su núcleo"),
        ("físico‑química", "físico-química"),
    ],
    "signs with two forms": [
        ("5−3", "5-3"),
        ("−5", "-5"),
        ("3×4", "3*4"),
        ("3 × 4", "3*4"),
        ("１２ ｋｍ", "12 km"),
        ("5 \u00b5m", "5 \u03bcm"),
        ("20 ℃", "20 °C"),
        ("el ﬂuido", "el fluido"),
    ],
    "powers and indices": [
        ("x²", "x^2"),
        ("(a+b)² + 1", "(a+b)^2+1"),
        ("10⁻³ m", "10^-3 m"),
        ("x² + 3x", "x^2 + 3x"),
        ("5 m/s²", "5 m/s^2"),
        ("H₂O", "H_2O"),
        ("x₁²", "x_1^2"),
    ],
    "the first word": [
        ("¿Qué es la fuerza?", "que es la fuerza"),
        ("QUÉ es la fuerza", "qué es la fuerza"),
        ("Cómo cae un cuerpo", "como cae un cuerpo"),
        ("What is force?", "what is force"),
        ("What's a cell?", "what's a cell"),
        ("Quê é força", "que é força"),
        ("Resuelve 2x = 4", "resuelve 2x = 4"),
        ("Resuelve (x+1)² = 4", "resuelve (x+1)² = 4"),
        ("Resuelve: 2x = 4", "resuelve: 2x = 4"),
    ],
}

UNSAFE = {
    "compatibility forms": [
        ("x²", "x2"),
        ("10⁸", "108"),
        ("log₂8", "log28"),
        ("log₂8", "log_28"),
        ("²³⁵U", "235U"),
        ("5¼", "51/4"),
        ("1½", "11/2"),
        ("SO₄²⁻", "SO42-"),
        ("2º", "2o"),
        ("1.ª", "1.a"),
        ("ℝ", "R"),
        ("∬", "∫∫"),
        ("①", "1"),
        ("H₂O", "H2O"),
    ],
    "an exponent that would grow": [
        ("x²3", "x^23"),
        ("e²x", "e^2x"),
        ("x²/3", "x^2/3"),
        ("x²⁺¹", "x^2+1"),
        ("f²(x)", "f^2(x)"),
        ("2³^2", "2^3^2"),
        ("x².5", "x^2.5"),
        ("3²!", "3^2!"),
        ("a₁.5", "a_1.5"),
        ("a₁₂3", "a_123"),
    ],
    "accents": [
        ("el año", "el ano"),
        ("papá", "papa"),
        ("él", "el"),
        ("sí", "si"),
        ("tú", "tu"),
        ("té", "te"),
        ("y más", "y mas"),
        ("esté", "este"),
        ("dime cómo come", "dime como come"),
        ("dime qué es", "dime que es"),
        ("término", "termino"),
        ("termino", "terminó"),
        ("práctica", "practica"),
        ("por qué", "por que"),
    ],
    "case": [
        ("Co", "CO"),
        ("No", "NO"),
        ("mW", "MW"),
        ("Mg", "mg"),
        ("pH", "PH"),
        ("5 K", "5 k"),
        ("Hf", "HF"),
        ("Cs", "CS"),
        ("5 g", "5 G"),
        ("R", "r"),
        ("A", "a"),
        ("NaCl", "nacl"),
        ("WHO declares", "who declares"),
        ("İstanbul", "i̇stanbul"),
        ("la straße", "la strasse"),
        ("qué es Mercurio", "qué es mercurio"),
        ("Animal.hablar", "animal.hablar"),
        ("Fuerza = 3", "fuerza = 3"),
        ("FUERZA", "fuerza"),
        ('Texto = "a"', 'texto = "a"'),
        ("El sol", "el sol"),
    ],
    "decimal marks": [
        ("1,5", "1.5"),
        ("1,5", "15"),
        ("1.500", "1500"),
        ("3,14", "314"),
        ("3·14", "3 · 14"),
        ("(1,2)", "(1, 2)"),
        ("[1,2]", "(1,2)"),
        ("1 000", "1000"),
    ],
    "operators": [
        ("a-b", "a+b"),
        ("a/b", "a·b"),
        ("a<b", "a≤b"),
        ("a<b", "a>b"),
        ("a=b", "a≠b"),
        ("a≈b", "a=b"),
        ("a±b", "a+b"),
        ("2^3", "2*3"),
        ("-5²", "(-5)²"),
        ("5!", "5"),
        ("¿Cuánto es 5!?", "¿Cuánto es 5?"),
        ("¡Calcula 5!", "Calcula 5"),
        ("¡Calcula n!", "Calcula n"),
        ("2, 4, 6, …", "2, 4, 6"),
        ("2, 4, 6, ...", "2, 4, 6."),
        ("2, 4, 6, ?", "2, 4, 6,"),
        ("2 4 6 ?", "2 4 6"),
        ("x = ?", "x ="),
        ("f'(x)", "f(x)"),
        ("f''(x)", 'f"(x)'),
        ("30°", "30"),
        ("|x|", "x"),
        ("5%", "5"),
        ("5 != 120", "5!=120"),
        ("x < -3", "x<-3"),
        ("3x4", "3*4"),
        ("x×4", "x*4"),
    ],
    "spaces that mean something": [
        ("x y", "xy"),
        ("sen x 2", "sen x2"),
        ("sen x + 1", "sen x+1"),
        ("raíz de 9 + 16", "raíz de 9+16"),
        ("la mitad de 4 + 2", "la mitad de 4+2"),
        ("√9 + 16", "√9+16"),
        ("a+b / c+d", "a+b/c+d"),
        ("a+b / c + d", "a+b / c+d"),
        ("10 - 3+2", "10-3+2"),
        ("8 ^ 2/3", "8^2/3"),
        ("ordena 5 -3 2", "ordena 5-3 2"),
        ("- 5 + 3", "-5+3"),
        ("1 1/2", "11/2"),
        ("5 - - 3", "5--3"),
        ("x = = y", "x==y"),
        ("norte - sur", "norte-sur"),
        ("anexo - b", "anexo-b"),
        ("6 : 2", "6:2"),
    ],
    "dashes and quotes beside numbers": [
        ("1914–1918", "1914-1918"),
        ("a–b", "a-b"),
        ("5”", '5"'),
        ("f’(x)", "f'(x)"),
        ("print(“hola”)", 'print("hola")'),
    ],
    "units": [("5 m/s", "5 km/s"), ("5 m", "5 mm"), ("5 m/s", "5 m/s²"), ("5°C", "5 K"), ("5 m", "5m")],
    "negation": [
        ("¿qué NO es un ion?", "¿qué es un ion?"),
        ("té con agua", "té sin agua"),
        ("invertible", "no invertible"),
        ("even", "odd"),
        ("is not prime", "is prime"),
    ],
    "order and roles": [
        ("¿de A a B?", "¿de B a A?"),
        ("masa del protón entre la del electrón", "masa del electrón entre la del protón"),
        ("dog bites man", "man bites dog"),
    ],
    "numbers, plurals, synonyms": [
        ("segundo", "2.º"),
        ("dos tercios", "2/3"),
        ("fuerza", "fuerzas"),
        ("raíz", "raíces"),
        ("¿y el segundo?", "¿y el primero?"),
    ],
    "code, tables and lines": [
        ("if x:\n  a\n  b", "if x:\n  a\nb"),
        ("if x:\n    y", "if x: y"),
        ("¿qué hace?\nfor i in r:\n\tf(i)\n\tg(i)", "¿qué hace?\nfor i in r:\n\tf(i)\ng(i)"),
        ("1 2\n3 4", "1 2 3 4"),
        ("vale 5\nmetros", "vale 5 metros"),
        ("a b\nc d", "a b c d"),
        ('print("a  b")', 'print("a b")'),
        ("`a  b`", "`a b`"),
        ("ser o no\n\tser = 3", "ser o no ser = 3"),
    ],
    "emoji": [("👩\u200d🔬 qué es", "👩🔬 qué es")],
}


def pairs(table: dict[str, list[tuple[str, str]]]) -> list[object]:
    return [pytest.param(*pair, id=f"{name}: {pair}") for name, rows in table.items() for pair in rows]


@pytest.mark.parametrize(("one", "other"), pairs(SAFE))
def test_spellings_of_one_question_share_a_key(one: str, other: str) -> None:
    assert normalize(one) == normalize(other)
    assert read_question(one, {"language": "es"}).key == read_question(other, {"language": "es"}).key


@pytest.mark.parametrize(("one", "other"), pairs(UNSAFE))
def test_different_questions_never_share_a_key(one: str, other: str) -> None:
    frames = ("{}", "¿{}?", "Dime: {}", "Dime {}.")
    for frame in frames:
        assert normalize(frame.format(one)) != normalize(frame.format(other)), frame


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [*"aAbxX25 ¿?.!¡…=+-*/^()[]\"'`\n\t²³⁻₂−×—“”’«»\u200d\u200b\u212aＫ１ª½éQ\u0301\u0338👩"]
        ),
        st.sampled_from(["Qué ", "sen ", "raíz de ", " + ", " = ", " / ", " - ", "..", "ab", "  ", "x²"]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=25,
).map("".join)


@given(TEXTS)
@example("¿\nab  + ")
@example("é₂\u200d”K”.")
def test_normalising_is_idempotent_and_composed(text: str) -> None:
    normalized = normalize(text)
    assert normalize(normalized) == normalized
    assert unicodedata.is_normalized("NFC", normalized)


@given(
    st.lists(st.sampled_from(["qué", "es", "la", "fuerza", "no", "sin", "masa", "Co", "CO"]), min_size=1),
    st.data(),
)
def test_any_white_space_between_words_is_one_space(words: list[str], data: st.DataObject) -> None:
    gaps = st.text("  \t\u00a0\u2003", min_size=1, max_size=3)
    spread = "".join(word + data.draw(gaps) for word in words)
    assert normalize(f" {spread}") == normalize(" ".join(words))


@given(st.text("ab12+-*/=^.,!()<> ", max_size=12), st.text("ab12+-*/=^.,!()<> ", max_size=12))
def test_a_shared_key_means_the_same_signs_in_the_same_order(one: str, other: str) -> None:
    """Only spaces and the dot after a last word may go; three dots are one sign."""

    def signs(text: str) -> str:
        return re.sub(r"(?<=[ab])\.$", "", text.strip().replace("...", "…")).replace(" ", "")

    assert signs(normalize(one)) == signs(one)
    if signs(one) != signs(other):
        assert normalize(one) != normalize(other)


@pytest.mark.parametrize("text", ["", "  ", "¿?", "+ - =", "√", "…", "🙂", "\u200b", "___"])
def test_a_question_needs_a_letter_or_a_digit(text: str) -> None:
    with pytest.raises(QuestionEmpty):
        read_question(text)


def test_length_counts_code_points_after_trimming() -> None:
    assert read_question("  " + "🙂" * 1_999 + "a\n").text == "🙂" * 1_999 + "a"
    with pytest.raises(QuestionTooLong):
        read_question("a" * 2_001)


@pytest.mark.parametrize(
    "text",
    [
        "a\x00",
        "a\ud800",
        "a\x1b[2J",
        "a\U000e0041",
        "a\U000e0101",
        "a\ufffe",
        "a\u3164",
        "a\ufe00\ufe01",
        "a\x85\x9f",
    ],
)
def test_carriers_of_hidden_text_are_refused(text: str) -> None:
    with pytest.raises(InvalidQuestion):
        read_question(text)
    with pytest.raises(InvalidQuestion):
        read_question("a", {"subject": text})


@pytest.mark.parametrize(
    "context",
    [
        [],
        "física",
        {"subject": 3},
        {"subject": None},
        {3: "a"},
        {"k" * 41: "a"},
        {"k": "v" * 201},
        {f"k{index}": "v" for index in range(17)},
        {"language": "español"},
        {"language": "x"},
    ],
)
def test_a_context_is_a_few_short_strings(context: object) -> None:
    with pytest.raises(InvalidQuestion):
        read_question("a", context)  # type: ignore[arg-type]


def test_errors_do_not_carry_the_question() -> None:
    for text in ("secreto\x00", "secreto" * 400):
        with pytest.raises((InvalidQuestion, QuestionTooLong)) as caught:
            read_question(text)
        assert "secreto" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Qué es la fuerza?", "es"),
        ("resuelve la ecuación", "es"),
        ("¿2 + 2?", "es"),
        ("What is the force?", "en"),
        ("Solve 2x + 3 = 7 with steps", "en"),
        ("O que é uma força?", "pt"),
        ("Não sei explicar", "pt"),
        ("2x + 3 = 7", None),
        ("fuerza", None),
        ("que es verdad en the end", None),
        ("Quelle est la force ?", None),
        ("Was ist die Kraft?", None),
        ("Qual è la forza", None),
    ],
)
def test_function_words_name_the_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "context", "language"),
    [
        ("What is force?", {"language": "es-MX"}, "es"),
        ("What is force?", {"language": " PT_br "}, "pt"),
        ("What is force?", {"language": ""}, "en"),
        ("What is force?", {}, "en"),
        ("fuerza", {}, "de"),
    ],
)
def test_the_language_is_the_contexts_else_the_texts_else_the_users(
    text: str, context: dict[str, str], language: str
) -> None:
    assert read_question(text, context, user_language="de-AT").language == language


def test_subject_and_level_are_compared_without_case_and_extra_space() -> None:
    one = read_question("a", {"subject": "  F\u0069\u0301sica  General ", "level": "ESO"})
    assert (one.subject, one.level) == ("física general", "eso")
    assert one.key == read_question("a", {"subject": "física general", "level": "eso"}).key


def test_everything_in_the_key_tells_questions_apart() -> None:
    """Also where the same letters stand in another field."""
    keys = [
        key("red", "es"),
        key("red", "en"),
        key("once", "es"),
        key("red", "es", "a"),
        key("red", "es", "", "a"),
        key("red", "es", "a", "b"),
        key("red", "es", "b", "a"),
        key("red", "es", other={"a": "b"}),
        key("red", "es", other={"a": "b"}, asker="1"),
        key("red", "es", other={"a": "b"}, asker="2"),
        key("red", "es", other={"b": "a"}, asker="1"),
    ]
    assert all(one != other for one, other in combinations(keys, 2))
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in keys)


def test_a_key_does_not_change_between_releases_of_one_normaliser() -> None:
    """A change of this value orphans every stored answer: raise NORMALISER and rekey."""
    question = read_question("¿Qué es x²?", {"subject": "Álgebra"})
    assert question.normalized == "que es x^2"
    assert question.key == "83a1ffc4a7997ebf0d9c9530828169e3fa880053768e8657d76d43d57d26f97d"


def test_keys_go_from_the_most_specific_to_any() -> None:
    question = read_question("a", {"subject": "s", "level": "l"})
    expected = [key("a", "es", *scope) for scope in (("s", "l"), ("s", ""), ("", "l"), ("", ""))]
    assert list(question.keys()) == expected
    assert question.key == expected[0]
    assert read_question("a", {"subject": "s"}).keys() == (key("a", "es", "s"), key("a", "es"))
    assert read_question("a").keys() == (key("a", "es"),)


def test_other_context_makes_an_answer_private_to_its_asker() -> None:
    mine = read_question("a", {"b": "2", "a": "1", "subject": "s"}, asker="me")
    assert mine.keys() == (mine.key,)
    assert mine.asker == "me"
    assert mine.key == read_question("a", {"subject": "s", "a": "1", "b": "2"}, asker="me").key
    assert mine.key != read_question("a", {"b": "2", "a": "1", "subject": "s"}, asker="you").key


def test_a_shared_question_does_not_know_its_asker() -> None:
    question = read_question("a", {"topic": " "}, asker="me")
    assert question.asker == ""
    assert question == Question("a", "a", "es")
    assert hash(question) == hash(Question("a", "a", "es"))


# --- About a sentence of another explanation ---------------------------------------------------------


def test_a_question_about_a_sentence_holds_it_and_the_question_before() -> None:
    text = about(" No lo entiendo: ", "Se mide\n  en\u00a0newtons. ", "¿Qué es una fuerza?")
    assert text == "No lo entiendo: «Se mide en newtons.» — ¿Qué es una fuerza?"
    assert read_question(text).text == text


def test_a_long_sentence_is_cut() -> None:
    assert about("¿?", "palabra " * 80, "x") == f"¿? «{('palabra ' * 80)[:500].strip()}» — x"


def test_an_explanation_may_say_what_a_question_may_not_hold() -> None:
    flag = "🏴" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbeng") + "\U000e007f"
    text = about("¿Cuál?", f"Inglaterra {flag}\x07 \ufe0f\ufe0f juega.", "¿Quién juega?")
    assert read_question(text).text == "¿Cuál? «Inglaterra 🏴 juega.» — ¿Quién juega?"


SUMS = [
    ("¿Cuánto es 2 + 3?", "$2 + 3 = 5$", "es"),
    ("Resuelve 2x + 3 = 7", "2x = 4", "es"),
    ("Solve x^2 - 5x + 6 = 0", "(x - 2)(x - 3) = 0", "en"),
    ("2x + 3 = 7", "x = 2", "en"),
    ("Derivative of x^2", "2x", "en"),
    ("Quanto é 7 * 6?", "7 * 6 = 42", "pt"),
]


@pytest.mark.parametrize(
    "asks", ["2 + 3", "x = 4", "Calcula", "Resuelve:", "What is", "Quanto é", "-", "Solve x + 1 ="]
)
@pytest.mark.parametrize(("of", "sentence", "language"), SUMS)
def test_a_question_about_a_calculation_is_no_calculation(
    asks: str, sentence: str, of: str, language: str
) -> None:
    for quoted, parent in ((sentence, of), (sentence.strip("$"), "3 + 4"), ("", "3 + 4"), ("3", "-4")):
        with pytest.raises(CannotAnswer):
            read(about(asks, quoted, parent), language)


def test_quotation_marks_alone_make_no_question_about_another() -> None:
    assert read_question("¿Qué significa «fuerza»?").key == read_question('¿Qué significa "fuerza"?').key
