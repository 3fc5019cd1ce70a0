"""`lute-sim record`: its arguments, and a recording of a site until Ctrl-C."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import typer
from typer.testing import CliRunner

from lute.errors import ConfigError
from simulators.recording.commands import record
from simulators.recording.play import play
from simulators.recording.reader import load_recording
from simulators.serve.airflow import installed_version

ROOT = Path(__file__).resolve().parents[3]
COMMAND = "import typer; from simulators.recording.commands import record; typer.run(record)"


def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(record)
    return made


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a workflow, or give --jid URL and --airflow URL"),
        (["--airflow", "3"], "'3' is no http address"),
        (["--jid", "somewhere"], "'somewhere' is no http address"),
        (["test", "--jid", "http://127.0.0.1:9"], "addresses are for a recording without a workflow"),
        (["test", "--airflow", "http://127.0.0.1:9"], "addresses are for a recording without a workflow"),
    ],
)
def test_arguments_that_contradict_are_refused(tmp_path: Path, words: list[str], told: str) -> None:
    done = CliRunner().invoke(app(), ["-o", str(tmp_path / "r.jsonl"), *words], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert told in done.output
    assert not (tmp_path / "r.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["tset"], "there is no workflow 'tset': did you mean test"),
        (["test", "--config", "absent.yaml"], "there is no such configuration file"),
        (["--jid", "http://127.0.0.1:9", "-o", "r.jsonl.gz"], "compress it afterwards"),
        (["--jid", "http://127.0.0.1:9", "-o", "absent/r.jsonl"], "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_recorded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app(), ["-o", "r.jsonl", *words])
    assert isinstance(done.exception, ConfigError)
    assert told in str(done.exception)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_site_is_recorded_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "site.jsonl"
    argv = [sys.executable, "-c", COMMAND, "-o", str(file)]
    argv += ["--jid", "http://127.0.0.1:9/jid/ws", "--airflow", "http://me:pass-word-1@127.0.0.1:9/"]
    recorder = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert recorder.stderr is not None
    site, connection, ready = (recorder.stderr.readline() for _ in range(3))
    assert "Ctrl-C ends it" in ready
    (airflow,) = re.findall(r'\[airflow\] url = "(http://127\.0\.0\.1:\d+)"', site)
    (jid,) = re.findall(
        r"AIRFLOW_CONN_JID_DEFAULT='.*\"host\": \"(http://127\.0\.0\.1:\d+/jid/ws)\"", connection
    )
    for url in (f"{airflow}/api/v2/version", f"{jid}/job_statuses"):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=10)
    recorder.send_signal(number)
    assert recorder.wait(20) == 0
    assert "recorded 2 exchanges" in recorder.stderr.read()
    recorder.stderr.close()
    found = load_recording(file)
    told = [(exchange.service, exchange.path, exchange.failure) for exchange in found.exchanges]
    assert told == [("airflow", "/api/v2/version", "refused"), ("jid", "/job_statuses", "refused")]
    assert found.header.services == {
        "jid": "http://127.0.0.1:9/jid/ws",
        "airflow": "http://me:***@127.0.0.1:9",
    }
    assert found.end.launcher is None


@pytest.mark.served
def test_a_served_run_is_recorded_and_plays(tmp_path: Path) -> None:
    file = tmp_path / "test.jsonl"
    argv = [sys.executable, "-c", COMMAND, "-o", str(file), "test"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Workflow test: success" in done.stdout
    text = file.read_text()
    assert str(ROOT) not in text
    assert "/lute-sim-" not in text
    assert "eyJ" not in text
    found = load_recording(file)
    assert found.header.airflow == ".".join(str(part) for part in installed_version())
    result = play(file, workflow="test")
    assert result.divergences == []
    assert result.output == result.recorded_output
