"""The docs say what the code does."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lute.io.config import load_config

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_reference_is_what_the_code_says() -> None:
    made = runpy.run_path(str(DOCS / "generate_reference.py"))["pages"]()
    for name, text in made.items():
        assert (DOCS / name).read_text() == text, "run: python docs/generate_reference.py"
        assert str(ROOT) not in text


def test_every_parameter_says_what_it_means() -> None:
    for name in ("reference_tasks.md", "reference_site.md"):
        rows = [line for line in (DOCS / name).read_text().splitlines() if line.startswith("| ")]
        assert not [row for row in rows if row.endswith("|  |")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_named_are_there(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert "://" in link or (page.parent / link).exists(), link
    for name in re.findall(r"`((?:lute|operators|workflows|scripts|config|simulators|docs)/[\w./-]*)`", text):
        assert name.endswith(("NAME.py", "NAME.toml")) or (ROOT / name).exists(), name


def test_the_navigation_names_every_page() -> None:
    text = yaml.safe_dump(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert set(re.findall(r"\w+\.md", text)) == {page.name for page in DOCS.glob("*.md")}


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "add_workflow.md"], ids=lambda page: page.name)
def test_the_workflow_of_the_docs_loads(page: Path, tmp_path: Path) -> None:
    (block,) = blocks(page, "python")
    file = tmp_path / "mine.py"
    file.write_text(block)
    code = "import runpy, sys; print('DAG', runpy.run_path(sys.argv[1])['dag'].dag_id)"
    done = subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, capture_output=True, text=True)
    assert "DAG lute_mine" in done.stdout, done.stderr


def test_the_configuration_of_the_docs_loads(tmp_path: Path) -> None:
    (block,) = blocks(DOCS / "configure.md", "yaml")
    file = tmp_path / "config.yaml"
    file.write_text(block)
    assert load_config(file, {}).header.run == 12
