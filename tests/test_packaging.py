"""The project's files agree with each other."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_operators_and_sites_are_found_inside_the_package() -> None:
    assert (ROOT / "lute" / "operators").resolve() == ROOT / "operators"
    assert (ROOT / "lute" / "sites").resolve() == ROOT / "config" / "sites"


def test_locks_hold_exact_versions_and_no_address() -> None:
    for major, version in ((2, "2.11.2"), (3, "3.3.2")):
        text = (ROOT / "locks" / f"airflow{major}.txt").read_text()
        pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert f"apache-airflow=={version}" in pins
        assert all("==" in pin for pin in pins), [pin for pin in pins if "==" not in pin]
        assert "://" not in text
        assert "index" not in text


def test_the_python_version_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert set(project["optional-dependencies"]) >= {"airflow2", "airflow3", "sim", "sfx", "site", "dev"}


def test_importing_production_does_nothing_but_define() -> None:
    """No logging set-up, no environment written, no file or socket opened, in any module of production."""
    code = """
import logging, os, pkgutil, importlib, sys
before = dict(os.environ)
import lute
names = [m.name for m in pkgutil.walk_packages(lute.__path__, "lute.")
         # lute.tasks.sfx: for the process of one Task alone, where psana is installed.
         if not m.name.startswith(("lute.operators", "lute.tasks.sfx.")) and not m.name.endswith("__main__")]
def refuse(event, args):
    if event in ("socket.connect", "subprocess.Popen", "os.mkdir", "os.remove"):
        raise RuntimeError(event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        raise RuntimeError(f"{event} {args}")
sys.addaudithook(refuse)
for name in names:
    importlib.import_module(name)
assert dict(os.environ) == before
assert not logging.getLogger().handlers
print(len(names))
"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30
