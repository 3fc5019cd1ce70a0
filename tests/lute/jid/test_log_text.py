from hypothesis import given
from hypothesis import strategies as st

from lute.jid.log_text import clean_log


def test_a_short_log_stays_as_it_is() -> None:
    assert clean_log("a\nü\x1b[31m\n", max_kib=1, where="/l") == "a\nü\x1b[31m\n"


def test_a_long_log_keeps_its_end_and_says_what_was_cut() -> None:
    cut = clean_log("x" * 5000 + "THE END", max_kib=1, where="/data/a b.out")
    assert cut.endswith("THE END")
    assert cut.startswith("[... 3983 earlier characters cut; the whole log: /data/a b.out ...]\n")


def test_a_token_at_the_cut_is_not_shown_by_half() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyb290In0." + "s1gn4ture" * 20
    for behind in range(700, 1100, 7):
        cut = clean_log("x" * 5000 + f" Bearer {token} " + "y" * behind, max_kib=1, where=None)
        assert "s1gn4ture" not in cut
        assert cut.endswith("y" * min(behind, 1000))


@given(text=st.text(alphabet=st.characters(), max_size=3000))
def test_any_text_becomes_one_that_a_database_takes(text: str) -> None:
    clean = clean_log(text, max_kib=1, where=None)
    assert "\x00" not in clean
    assert len(clean.encode("utf-8", errors="strict")) <= 1024 + 200


def test_surrogates_are_replaced() -> None:
    assert clean_log("a\ud800b\x00c", max_kib=1, where=None) == "a?b�c"


def test_a_log_of_just_the_limit_stays_whole() -> None:
    assert clean_log("x" * 1024, max_kib=1, where="/l") == "x" * 1024


def test_a_character_that_the_cut_halves_goes_as_a_whole() -> None:
    cut = clean_log("é" * 600 + "x", max_kib=1, where=None)
    assert cut == "[... 89 earlier characters cut; the whole log: not known ...]\n" + "é" * 511 + "x"
