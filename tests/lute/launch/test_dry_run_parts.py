"""What a dry run says, word for word."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lute.errors import ConfigError
from lute.jid.documents import RunConf, parse_run_conf
from lute.launch import dry_run
from lute.launch.caps import StepCaps
from lute.launch.dry_run import DryRun
from lute.launch.output import Output
from lute.launch.process import Process
from lute.seams.commands import CommandTimeout, Completed
from lute.settings import Settings
from tests.fakes import CONF, FakeClock, fake_runtime, settings

LINKS = {"Tester": ["a.ReadTester"], "BinaryTester": ["a.ReadTester"], "a.ReadTester": ["Mine"], "Mine": []}


class FakeSbatch:
    """Answers every question alike, and notes them."""

    def __init__(self) -> None:
        self.answer: Completed | Exception = Completed(0, "", "sbatch: Job 7 to start at noon\n")
        self.asked: list[tuple[Sequence[str], dict[str, Any]]] = []

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        self.asked.append((argv, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Stage:
    def __init__(self) -> None:
        self.sbatch = FakeSbatch()
        self.checked: list[Any] = []
        self.trouble: ConfigError | None = None
        self.token_problems: list[str] = []
        self.settings = settings()
        self.lines: list[str] = []
        self.env = {"SLURM_CONF": "/c", "SLURM_JOB_ID": "1", "slurm_x": "2", "RUN": "no", "A": "b"}

    def run(
        self, links: dict[str, list[str]], caps: dict[str, StepCaps] | None = None, **conf: Any
    ) -> list[str]:
        runtime = replace(fake_runtime(FakeClock()), commands=self.sbatch)  # type: ignore[arg-type]
        known = parse_run_conf(CONF | {"slurm_params": ["--ntasks=4"], "Authorization": ""} | conf)
        output = Output(runtime.clock, self.lines.append)
        work = DryRun(links, caps or {}, known, Process(env=self.env, runtime=runtime), self.settings, output)
        self.is_good = work.run("test")
        return self.lines

    def check_token(
        self, conf: RunConf, process: Process, site: Settings, say: Callable[[str], None]
    ) -> list[str]:
        assert (conf.experiment, process.env, site) == ("mfxl1000126", self.env, self.settings)
        say("The token was looked at")
        return self.token_problems

    def check_parameters(self, *arguments: Any) -> None:
        self.checked.append(arguments)
        if self.trouble:
            raise self.trouble


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    found = Stage()
    monkeypatch.setattr(dry_run, "check_parameters", found.check_parameters)
    monkeypatch.setattr(dry_run, "check_token", found.check_token)
    return found


GOOD = "Dry run of test: a launch may go ahead; nothing was started"
BAD = "Dry run of test: 1 problem(s); nothing was started"


def test_each_step_is_shown_and_slurm_asked_once_for_the_same(stage: Stage) -> None:
    caps = {"Tester": StepCaps(), "a.ReadTester": StepCaps(max_cores=2), "BinaryTester": StepCaps()}
    assert stage.run(LINKS, caps) == [
        "The token was looked at",
        "Tester: sbatch --ntasks=4",
        "  Slurm: Job 7 to start at noon",
        "BinaryTester: sbatch --ntasks=4",
        "a.ReadTester: sbatch --ntasks=2",
        "  Slurm: Job 7 to start at noon",
        "Mine: no managed Task, so nothing is known of it",
        GOOD,
    ]
    assert [list(argv) for argv, _ in stage.sbatch.asked] == [
        ["sbatch", "--test-only", "--ntasks=4", "--wrap=true"],
        ["sbatch", "--test-only", "--ntasks=2", "--wrap=true"],
    ]
    env = {"SLURM_CONF": "/c", "slurm_x": "2", "RUN": "no", "A": "b"}
    assert stage.sbatch.asked[0][1] == {"timeout_s": 30.0, "env": env}


def test_the_parameters_are_checked_as_each_task_will_find_them(stage: Stage) -> None:
    stage.run(LINKS, run_id="12_2026")
    ((file, env, before),) = stage.checked
    assert file == Path("/data/a b/config.yaml")
    own = {"EXPERIMENT": "mfxl1000126", "RUN_NUM": "12_2026", "RUN": "12"}
    assert env == stage.env | own
    assert before == {"Test": set(), "TestBinary": set(), "TestReadOutput": {"Test", "TestBinary"}}
    assert list(before)[-1] == "TestReadOutput"


def test_what_is_wrong_is_gathered(stage: Stage) -> None:
    stage.token_problems = ["the token has expired"]
    stage.trouble = ConfigError("bad parameter", next_step="correct it")
    caps = {"Tester": StepCaps(custom_slurm_params="--bogus")}
    lines = stage.run({"Tester": []}, caps)
    assert lines[:2] == ["The token was looked at", "PROBLEM: the token has expired"]
    assert lines[2] == "PROBLEM: bad parameter\n    next: correct it"
    assert lines[3].startswith("PROBLEM: Tester: ")
    assert lines[-1] == "Dry run of test: 3 problem(s); nothing was started"
    assert stage.is_good is False


@pytest.mark.parametrize(
    ("answer", "said", "problem"),
    [
        (FileNotFoundError("sbatch"), "there is no sbatch here to ask", None),
        (CommandTimeout("slow"), "no answer within 30 s", None),
        (Completed(0, "on stdout", ""), "on stdout", None),
        (Completed(0, "", ""), "accepted", None),
        (Completed(1, "", "sbatch: error: Unable to contact slurm controller\n"), None, None),
        (
            Completed(1, "", "sbatch: error: Batch job\nsbatch:  error: refused\n"),
            "Batch job error: refused",
            "PROBLEM: Slurm refuses --ntasks=4: Batch job error: refused",
        ),
    ],
)
def test_what_slurm_says(
    stage: Stage, answer: Completed | Exception, said: str | None, problem: str | None
) -> None:
    stage.sbatch.answer = answer
    lines = stage.run({"Tester": []})
    assert lines[1] == "Tester: sbatch --ntasks=4   (its limits are not known here)"
    assert lines[2] == f"  Slurm: {said or 'Unable to contact slurm controller'}"
    assert lines[3:-1] == ([problem] if problem else [])
