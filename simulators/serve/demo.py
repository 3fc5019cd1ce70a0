"""The demo: launch a workflow as a scientist would, show its progress, its log, its steps and the verdict."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lute.airflow_api.client import AirflowClient
from lute.io.database import FILE_NAME, Database, TaskRun
from lute.seams import Runtime
from lute.settings import load_settings
from lute.slurm.commands import SlurmCommands
from lute.slurm.records import SlurmJob
from lute.slurm.states import SlurmState
from simulators.serve.components import StackError
from simulators.serve.critical_path import critical_path
from simulators.serve.results import latest_runs, step_results
from simulators.serve.stack import EXPERIMENT, PROJECT_DIR, RUN, ServedStack

SLURM_ARGUMENTS = ("--partition=milano", "--account=lcls:demo", "--ntasks=4")
_POLL_S = 0.3
_SUBMIT_LIMIT_S = 60.0


def run_demo(
    stack: ServedStack,
    workflow: str,
    config: Path,
    env: Mapping[str, str],
    write_report: Callable[[Sequence[SlurmJob], Mapping[str, TaskRun]], Path] | None = None,
) -> int:
    """Launch `workflow` and stay until its launcher has ended.

    Args:
        write_report: writes a page from the steps' jobs and, by Task, the rows of the results database;
            returns its file.

    Returns:
        the launcher's exit code.
    """
    console = Console(soft_wrap=True, highlight=False)
    runtime = Runtime()
    job_env = stack.info.applied_to(env)
    slurm = SlurmCommands(runtime.commands, job_env)
    launcher_id = _launch(console, runtime, workflow, config, job_env, Path(stack.info.work_dir))
    _follow(console, runtime, slurm, launcher_id, stack)
    jobs = slurm.jobs(sorted((entry.job_id for entry in slurm.queue()), key=int))
    launcher = jobs.pop(launcher_id)
    steps = list(jobs.values())
    console.rule(f"log of the launcher (Slurm job {launcher_id})")
    log = Path(launcher.stdout_path.replace("%J", launcher_id))  # which real Slurm leaves in (measured)
    console.print(log.read_text(errors="replace") if log.is_file() else "(no log)", markup=False)
    console.rule("steps")
    results = latest_runs(Database(Path(stack.info.work_dir) / FILE_NAME), EXPERIMENT, RUN)
    console.print(_table(steps))
    for name, found in step_results(results).items():
        console.print(f"{name}: {found}", markup=False)
    if write_report is not None:
        console.print(f"report: {write_report(steps, results)}", markup=False)
    settings = load_settings(job_env)
    downstream = AirflowClient(settings, runtime).downstream(f"lute_{workflow}")
    console.print(_overhead(launcher, steps, downstream), markup=False)
    exit_code = int(launcher.exit_code.partition(":")[0])
    if launcher.state is not SlurmState.COMPLETED:
        exit_code = exit_code or 1
    verdict = "SUCCESS" if exit_code == 0 else "FAILED"
    console.print(f"verdict: workflow {workflow} {verdict} (the launcher's exit code is {exit_code})")
    return exit_code


def _launch(
    console: Console, runtime: Runtime, workflow: str, config: Path, env: Mapping[str, str], cwd: Path
) -> str:
    script = PROJECT_DIR / "scripts" / "submit_launch_airflow.sh"
    arguments = ["-c", str(config), "-w", workflow, *SLURM_ARGUMENTS]
    console.print(f"$ scripts/submit_launch_airflow.sh {' '.join(arguments)}", markup=False)
    done = runtime.commands.run([str(script), *arguments], timeout_s=_SUBMIT_LIMIT_S, env=env, cwd=cwd)
    console.print(f"{done.stdout}{done.stderr}".rstrip(), markup=False)
    prefix = "Submitted batch job "
    if done.exit_code != 0 or not done.stdout.startswith(prefix):
        raise StackError(f"the launcher was not submitted: exit code {done.exit_code}")
    return done.stdout.removeprefix(prefix).split()[0]


def _follow(
    console: Console, runtime: Runtime, slurm: SlurmCommands, launcher_id: str, stack: ServedStack
) -> None:
    """Print every change of a job's state until the launcher has ended."""
    told: dict[str, SlurmState | None] = {}
    while (state := told.get(launcher_id)) is None or not state.is_final:
        stack.check_alive()
        runtime.clock.sleep(_POLL_S)
        for entry in sorted(slurm.queue(), key=lambda entry: int(entry.job_id)):
            if told.get(entry.job_id) is not entry.state:
                told[entry.job_id] = entry.state
                stamp = runtime.clock.now().astimezone().strftime("%H:%M:%S")
                console.print(f"{stamp} job {entry.job_id} {entry.name}: {entry.state}", markup=False)


def _table(steps: Sequence[SlurmJob]) -> Table:
    table = Table("step", "Slurm job", "node", "state", "wait (s)", "run (s)")
    for job in steps:
        wait_s, run_s = _span_s(job.submit_time, job.start_time), _span_s(job.start_time, job.end_time)
        table.add_row(job.name, job.job_id, job.nodes or "-", str(job.state), f"{wait_s:.0f}", f"{run_s:.0f}")
    return table


def _span_s(since: datetime | None, until: datetime | None) -> float:
    """Return the seconds between two of Slurm's times, which are whole seconds; 0 if it never came to it."""
    return (until - since).total_seconds() if since and until else 0.0


def _overhead(launcher: SlurmJob, steps: list[SlurmJob], downstream: dict[str, list[str]]) -> str:
    """Return what the chain adds to the jobs' own run times, in words."""
    ended = {job.name: job.end_time.timestamp() for job in steps if job.start_time and job.end_time}
    path = critical_path(ended, downstream)
    if not path:
        return "no step ran"
    path_s = sum(_span_s(job.start_time, job.end_time) for job in steps if job.name in path)
    wall_s = _span_s(launcher.submit_time, launcher.end_time)
    return (
        f"wall time {wall_s:.0f} s, critical path {' > '.join(path)} {path_s:.0f} s:"
        f" overhead {(wall_s - path_s) / len(path):.1f} s per step"
    )
