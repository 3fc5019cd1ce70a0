"""`docs/test_your_dag.md` is true: everything in it is written and run, in order, in an empty folder."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "test_your_dag.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "..."


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A shell's environment, with the commands of this one and nothing else of it."""
    bin_folder = str(Path(sys.executable).parent)
    path = os.pathsep.join([bin_folder, os.environ["PATH"]])
    return {"PATH": path, "HOME": str(tmp_path), "COLUMNS": "80", "PYTHONWARNINGS": "ignore"}


@pytest.mark.timeout(240)
def test_the_page_is_true(tmp_path: Path, env: dict[str, str]) -> None:
    project = tmp_path / "project"
    project.mkdir()
    kinds = []
    for kind, text in BLOCK.findall(PAGE.read_text()):
        kinds.append(kind)
        if kind == "console":
            for command, wanted in commands(text):
                done = subprocess.run(
                    ["bash", "-c", command], cwd=project, env=env, capture_output=True, text=True, check=False
                )
                assert missing(wanted, done.stdout) == [], f"{command}\n{done.stdout}{done.stderr}"
        elif kind == "diff":
            change(project, text)
        elif kind:
            write(project, text)
    assert (kinds.count("console"), kinds.count("diff"), kinds.count("python")) == (9, 2, 5)


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a block with the lines that it prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *wanted = part.splitlines()
        yield command, wanted


def missing(wanted: list[str], printed: str) -> list[str]:
    """Return the first lines that should follow each other in what was printed, and do not.

    Numbers may differ, since they do from one version of Airflow to the next.
    """
    lines = [masked(line) for line in printed.splitlines()]
    chunks = "\n".join(masked(line) for line in wanted).split(f"\n{LEFT_OUT}\n")
    for chunk in chunks:
        expected = chunk.removeprefix(f"{LEFT_OUT}\n").splitlines()
        found = (at for at in range(len(lines)) if lines[at : at + len(expected)] == expected)
        at = next(found, None)
        if at is None:
            return expected
        lines = lines[at + len(expected) :]
    return []


def masked(line: str) -> str:
    """Return a line without what differs between runs: numbers, digests, the width of tables and rules."""
    line = re.sub(r"digest [0-9a-f]+|_[0-9a-f]{8}\b", "X", line)
    line = re.sub(r"\d+(?:[.:]\d+)*", "N", line)
    return re.sub(r"([=_ -])\1+", r"\1", line).rstrip()


def change(project: Path, text: str) -> None:
    """Apply a block that shows a change: `--- FILE`, then lines with their signs."""
    head, *lines = text.splitlines()
    file = project / head.removeprefix("--- ")
    before = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
    after = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
    source = file.read_text()
    assert source.count(before) == 1
    file.write_text(source.replace(before, after))


def write(project: Path, text: str) -> None:
    """Write a block into the file that its first line names."""
    file = project / text.splitlines()[0].removeprefix("# ")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("wanted", "printed", "lacks"),
    [
        (["a 1 s", "b"], "x\na 2 s\nb\n", []),
        (["a", LEFT_OUT, "b"], "a\nx\nb\n", []),
        ([LEFT_OUT, "b"], "a\nb\n", []),
        (["a", "b"], "a\nx\nb\n", ["a", "b"]),
        (["a", LEFT_OUT, "b"], "b\na\n", ["b"]),
        (["a  success  1"], "a success 10\n", []),
        (["a  success  1"], "a failed 1\n", ["a success N"]),
    ],
)
def test_the_comparison_sees_what_is_missing(wanted: list[str], printed: str, lacks: list[str]) -> None:
    assert missing(wanted, printed) == lacks
