"""Parameters that are checked before the run."""

from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.tasks.forecast import check_parameters

HEADER = 'title: "x"\nexperiment: "{{ $EXPERIMENT }}"\nrun: "{{ $RUN }}"\nwork_dir: "/nowhere"\n---\n'
ENV = {"EXPERIMENT": "mfxl1000126", "RUN": "12"}


def check(folder: Path, text: str, before: dict[str, list[str]], env: dict[str, str] | None = None) -> None:
    file = folder / "config.yaml"
    file.write_text(HEADER + text)
    check_parameters(file, ENV if env is None else env, before)


def test_what_an_earlier_step_gives_is_not_missing(tmp_path: Path) -> None:
    check(tmp_path, "{}", {"TestWriteOutput": [], "TestReadOutput": ["TestWriteOutput"]})


def test_what_no_earlier_step_gives_is_missing(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"'TestReadOutput\.in_file' is missing; TestWriteOutput would give it"
    ):
        check(tmp_path, "{}", {"TestWriteOutput": [], "TestReadOutput": []})


def test_all_problems_of_all_tasks_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as wrong:
        check(tmp_path, "Test: {flaot_var: 1}\nTestBinary: {threads: many}\n", {"Test": [], "TestBinary": []})
    first, second = wrong.value.what.split("\n  ")
    assert "config.yaml:6: unknown parameter 'Test.flaot_var': did you mean float_var" in first
    assert "config.yaml:7: 'TestBinary.threads' is 'many'" in second


def test_a_variable_that_only_the_jobs_have_is_not_held_against_it(tmp_path: Path) -> None:
    check(tmp_path, "TestBinary: {threads: '{{ $SLURM_THING }}', seconds: no number}", {"TestBinary": []}, {})


def test_a_variable_that_is_known_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"TestBinary\.threads"):
        check(tmp_path, "TestBinary: {threads: '{{ $RUN }}x'}", {"TestBinary": []})
