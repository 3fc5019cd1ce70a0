"""Checking everything that a launch needs, and starting nothing."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from lute.airflow_api.client import AirflowClient
from lute.errors import ConfigError, LuteError
from lute.jid.documents import RunConf
from lute.launch.arguments import LaunchArguments
from lute.launch.caps import StepCaps, read_caps
from lute.launch.conf import build_conf, contradictions
from lute.launch.output import Output
from lute.launch.process import Process
from lute.launch.token_check import check_token
from lute.launch.workflow import find_workflow
from lute.managed_tasks import MANAGED_TASKS
from lute.seams.commands import CommandTimeout
from lute.settings import Settings
from lute.tasks.forecast import check_parameters
from lute.workflows.model import StepSettings

_ANSWER_S = 30.0


def dry_run(arguments: LaunchArguments, process: Process, settings: Settings, airflow: AirflowClient) -> bool:
    """Check what the user asks for, tell what was found, and return whether a launch may go ahead.

    Raises:
        ConfigError: there is no such workflow, or experiment or run are not known.
        RemoteError: Airflow refused or is out of reach.
    """
    output = Output(process.runtime.clock, process.write)
    conf = build_conf(arguments, process.env, settings, process.runtime, process.scripts)
    for warning in contradictions(arguments, process.env):
        output.news(warning)
    own = arguments.run_time
    if own is None:
        dag_id = find_workflow(airflow, arguments.workflow, output, changes_nothing=True)
        links: Mapping[str, Sequence[str]] = airflow.downstream(dag_id)
        caps = read_caps(process.scripts.parent / "workflows" / "airflow" / f"{arguments.workflow}.py")
    else:
        from lute.launch.run_time import check_deployed  # here: few launches need it

        check_deployed(airflow)
        links = own.links
        caps = {step.task_id: _caps(step.settings) for step in own.steps}
    return DryRun(links, caps, conf, process, settings, output).run(arguments.workflow)


def _caps(settings: StepSettings) -> StepCaps:
    return StepCaps(settings.max_cores, settings.max_nodes, settings.partition, settings.slurm_params)


class DryRun:
    """Looks for what would make a launch, or one of its steps, fail.

    Args:
        links: each task -> the tasks right behind it.
        caps: the limits of the tasks of which they are known.

    Attributes:
        problems: what must be corrected first, each in words.
    """

    def __init__(
        self,
        links: Mapping[str, Sequence[str]],
        caps: Mapping[str, StepCaps],
        conf: RunConf,
        process: Process,
        settings: Settings,
        output: Output,
    ) -> None:
        self.problems: list[str] = []
        self._links = links
        self._caps = caps
        self._conf = conf
        self._process = process
        self._settings = settings
        self._output = output

    def run(self, workflow: str) -> bool:
        """Check everything, tell what was found, and return whether a launch may go ahead."""
        say = self._output.line
        self.problems += check_token(self._conf, self._process, self._settings, say)
        self._check_parameters()
        self._show_steps()
        for problem in self.problems:
            self._output.line(f"PROBLEM: {problem}")
        verdict = "a launch may go ahead" if not self.problems else f"{len(self.problems)} problem(s)"
        self._output.line(f"Dry run of {workflow}: {verdict}; nothing was started")
        return not self.problems

    def _check_parameters(self) -> None:
        env = {**self._process.env, "EXPERIMENT": self._conf.experiment, "RUN_NUM": self._conf.run_id}
        env["RUN"] = self._conf.run_id.partition("_")[0]
        before: dict[str, set[str]] = {}
        for task_id in _in_order(self._links):
            managed = _managed(task_id)
            if managed is not None:
                earlier = {_managed(other) for other in _before(task_id, self._links)} - {None}
                names = {MANAGED_TASKS[name].task for name in earlier if name}
                before.setdefault(MANAGED_TASKS[managed].task, set()).update(names)
        try:
            check_parameters(Path(self._conf.lute_params.config_file), env, before)
        except LuteError as error:
            self.problems.append(_words(error))

    def _show_steps(self) -> None:
        answers: dict[tuple[str, ...], str] = {}
        for task in self._links:
            if _managed(task) is None:
                self._output.line(f"{task}: no managed Task, so nothing is known of it")
                continue
            note = "" if task in self._caps else "   (its limits are not known here)"
            try:
                words = self._caps.get(task, StepCaps()).arguments(self._conf.slurm_params)
            except ConfigError as error:
                self.problems.append(f"{task}: {_words(error)}")
                continue
            self._output.line(f"{task}: sbatch {shlex.join(words)}{note}")
            if tuple(words) not in answers:
                answers[tuple(words)] = self._slurms_answer(words)
                self._output.line(f"  Slurm: {answers[tuple(words)]}")

    def _slurms_answer(self, words: Sequence[str]) -> str:
        """Return what Slurm would say to such a job."""
        env = {
            name: value
            for name, value in self._process.env.items()
            if not name.startswith("SLURM_") or name == "SLURM_CONF"
        }
        try:
            done = self._process.runtime.commands.run(
                ["sbatch", "--test-only", *words, "--wrap=true"], timeout_s=_ANSWER_S, env=env
            )
        except FileNotFoundError:
            return "there is no sbatch here to ask"
        except CommandTimeout:
            return f"no answer within {_ANSWER_S:.0f} s"
        said = " ".join(re.sub(r"\bsbatch: (error: )?", "", done.stderr or done.stdout).split())
        if done.exit_code != 0 and "contact slurm controller" not in said:
            self.problems.append(f"Slurm refuses {shlex.join(words)}: {said}")
        return said or "accepted"


def _managed(task_id: str) -> str | None:
    """Return the name of a step's managed Task, None if it has none."""
    name = task_id.rpartition(".")[2]
    return name if name in MANAGED_TASKS else None


def _in_order(links: Mapping[str, Sequence[str]]) -> list[str]:
    """Return all tasks, each behind those that it waits for."""
    return sorted(links, key=lambda task: len(_before(task, links)))


def _before(task: str, links: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the tasks that have ended before a task begins."""
    found: set[str] = set()
    new = {task}
    while new:
        new = {other for other, behind in links.items() if new & set(behind)} - found
        found |= new
    return found


def _words(error: LuteError) -> str:
    return str(error).replace("\n", "\n  ")
