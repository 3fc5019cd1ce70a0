"""The names under which steps are submitted."""

from hashlib import sha256

import pytest

from lute.jid.submission import Submission, mark_prefix, step_mark_prefix


def test_the_words_for_the_submit_script() -> None:
    assert Submission("lute_test", "run 1", "group.Tester").words() == [
        "--submission-id",
        "run%201@lute_test/group.Tester/-1",
        "--try",
        "1",
    ]
    again = Submission("d", "r", "Tester", map_index=3, number=4, cleared_at=2)
    assert again.words() == ["--submission-id", "r@d/Tester/3", "--try", "4", "--cleared-at", "2"]
    assert again.words(cancel=True) == [*again.words(), "--cancel"]


def test_the_marks_of_a_runs_jobs() -> None:
    assert mark_prefix("lute_test", "run 1") == "lute:run%201@lute_test/"
    assert step_mark_prefix("d", "run 1", "a/b", 3) == "lute:run%201@d/a%2Fb/3:"


def test_runs_of_one_id_in_two_dags_share_nothing() -> None:
    assert Submission("a", "nightly", "T").words() != Submission("b", "nightly", "T").words()
    assert mark_prefix("a", "nightly@b") != mark_prefix("b", "nightly")


def test_the_longest_ids_of_airflow_become_one_file_name() -> None:
    name = Submission("d" * 250, "r" * 250, "T").words()[1].split("/")[0]
    assert len(name) <= 200
    assert name == "r" * 100 + "~" + digest("r" * 250 + "@" + "d" * 250)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("manual__2026-11-22T12:00:00+00:00", "manual__2026-11-22T12%3A00%3A00%2B00%3A00"),
        ("ü\n'", "%C3%BC%0A%27"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("a.b", "a.b"),
        ("x" * 200, "x" * 200),
        ("X" * 201, "X" * 100 + "~" + digest("X" * 201)),
        ("/" * 80, "%2F" * 33 + "~" + digest("/" * 80)),  # no half of an escape is left
    ],
)
def test_any_text_becomes_a_file_name(text: str, name: str) -> None:
    assert step_mark_prefix("d", "r", text, 0) == f"lute:r@d/{name}/0:"
