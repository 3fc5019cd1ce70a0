"""What CI runs is what the README tells."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_ci_runs_the_readmes_test_command() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()
    commands = [line for line in readme if line.endswith("/tox")]
    assert len(commands) == 1
    assert "-m venv .venv" in commands[0]
    assert "'/tox$' README.md" in (ROOT / ".ci" / "run").read_text()
