"""Mixes on private real Slurms, side by side, in real time."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from lute.seams import Runtime
from lute.seams.commands import Completed
from simulators.realslurm import RealSlurm, RealSlurmOptions
from simulators.realslurm.programs import search_path
from simulators.serve.components import StackError
from simulators.slurm.conf import TUNED
from simulators.workload.mix import JobRecord, Mix, MixJob, MixRun
from simulators.workload.simulate import PARTITIONS

_POLL_S = 1.0
_STEP_S = 0.02
_COMMAND_LIMIT_S = 30.0
_LATE_S = 120.0
"""How much longer than all its jobs one after the other a mix may take."""
_DETAIL = re.compile(r"(?<!\w)(Nodes=\S+ CPU_IDs=[\d,-]+)")
_ACTIVE = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED")

Say = Callable[[str], None]


def run_on_real_slurm(
    mixes: Sequence[Mix],
    folder: Path,
    say: Say,
    *,
    scheduler_parameters: str = TUNED,
    conf_lines: Sequence[str] = (),
) -> list[MixRun]:
    """Run each mix on a cluster of its own, all at the same time.

    Args:
        folder: for the files of the clusters and jobs; each is a folder of it named by its number from 0.
        say: told how many jobs have ended, whenever that changes.
        scheduler_parameters: as in slurm.conf.
        conf_lines: more of slurm.conf, for example `DebugFlags=Backfill`; the logs stay in `folder`.

    Raises:
        StackError: there is no real Slurm here, it did not do its work, or it took far too long.
    """
    runtime = Runtime()
    clock = runtime.clock
    options = RealSlurmOptions(
        partitions=PARTITIONS,
        scheduler_parameters=scheduler_parameters,
        conf_lines=tuple(conf_lines),
    )
    with ExitStack() as clusters:
        homes = [folder / str(number) for number in range(len(mixes))]
        slurms = [clusters.enter_context(RealSlurm(home / "slurm", options, runtime)) for home in homes]
        # the time of a run begins here, when all clusters are up
        runs = [_Run(*args, runtime) for args in zip(mixes, homes, slurms, strict=True)]
        deadline_s = clock.monotonic() + _LATE_S + max(run.longest_s for run in runs)
        total, said = sum(len(mix.jobs) for mix in mixes), -1
        while not all(run.is_over for run in runs):
            for run in runs:
                run.turn()
            ended = sum(run.ended for run in runs)
            if ended != said:
                say(f"{ended} of {total} jobs ended")
                said = ended
            if clock.monotonic() > deadline_s:
                raise StackError(f"only {ended} of {total} jobs ended in time; the logs are in {folder}")
            clock.sleep(_STEP_S)
        return [run.result(scheduler_parameters) for run in runs]


class _Run:
    """One mix on one cluster; `turn` does what is due."""

    def __init__(self, mix: Mix, folder: Path, slurm: RealSlurm, runtime: Runtime) -> None:
        self.longest_s = sum(job.duration_s for job in mix.jobs)
        self._mix = mix
        self._folder = folder
        self._slurm = slurm
        self._runtime = runtime
        self._env = {"PATH": search_path(), **slurm.environment}
        self._to_submit = sorted(mix.jobs, key=lambda job: job.submit_s, reverse=True)
        self._origin_s = runtime.clock.monotonic()
        self._origin_posix_s = runtime.clock.now().timestamp()
        self._next_poll_s = 0.0
        self._details: dict[str, dict[str, str]] = {}
        self._cpu_ids: dict[str, tuple[str, ...]] = {}
        self._states: dict[str, list[tuple[float, str, str]]] = {job.name: [] for job in mix.jobs}

    @property
    def ended(self) -> int:
        """How many jobs are known to have ended."""
        return sum(bool(seen) and not seen[-1][1].startswith(_ACTIVE) for seen in self._states.values())

    @property
    def is_over(self) -> bool:
        """True if every job is known to have ended."""
        return self.ended == len(self._states)

    def turn(self) -> None:
        """Submit what is due, then look at the jobs now and then."""
        while self._to_submit and self._to_submit[-1].submit_s <= self._passed_s():
            self._submit(self._to_submit.pop())
        if self._passed_s() >= self._next_poll_s and not self.is_over:
            self._slurm.check_alive()
            self._look()
            self._next_poll_s = self._passed_s() + _POLL_S

    def result(self, scheduler_parameters: str) -> MixRun:
        """Return what became of the jobs."""
        results = tuple(self._record(job) for job in self._mix.jobs)
        return MixRun(
            run="real",
            scheduler=scheduler_parameters,
            origin_posix_s=round(self._origin_posix_s, 3),
            results=results,
        )

    def _passed_s(self) -> float:
        return self._runtime.clock.monotonic() - self._origin_s

    def _submit(self, job: MixJob) -> None:
        start, end = (shlex.quote(str(self._file(job.name, word))) for word in ("start", "end"))
        script = f"date +%s.%N > {start}; sleep {job.duration_s:g}; date +%s.%N > {end}"
        words = [f"--job-name={job.name}", f"--ntasks={job.ntasks}", f"--time={job.limit_min}"]
        if job.nodes is not None:
            words.append(f"--nodes={job.nodes}")
        done = self._run(
            "sbatch", *words, "--output=/dev/null", f"--chdir={self._folder}", f"--wrap={script}"
        )
        if done.exit_code:
            raise StackError(f"sbatch refused job {job.name}: {done.stderr.strip()}")

    def _look(self) -> None:
        """Note the states, and of running jobs the cores, which an ended job does not tell (measured)."""
        done = self._run("scontrol", "-d", "-o", "show", "job")
        for line in done.stdout.splitlines():
            words: Mapping[str, str] = dict(word.split("=", 1) for word in line.split() if "=" in word)
            name = words.get("JobName", "")
            if name not in self._states:
                continue
            seen, state, reason = self._states[name], words["JobState"], words["Reason"]
            if not seen or seen[-1][1:] != (state, reason):
                seen.append((round(self._passed_s(), 2), state, reason))
            self._details[name] = dict(words)
            if found := _DETAIL.findall(line):
                self._cpu_ids[name] = tuple(found)

    def _record(self, job: MixJob) -> JobRecord:
        words = self._details[job.name]
        return JobRecord(
            name=job.name,
            script_start_s=self._moment_s(job.name, "start"),
            end_s=self._moment_s(job.name, "end"),
            nodelist=words["NodeList"],
            started_by=words["Scheduler"],
            cpu_ids=self._cpu_ids.get(job.name, ()),
            state_reason_seq=tuple(self._states[job.name]),
        )

    def _moment_s(self, name: str, word: str) -> float:
        """Return what a job's script noted, in seconds since the origin.

        Raises:
            StackError: the script did not get so far.
        """
        try:
            posix_s = float(self._file(name, word).read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise StackError(f"job {name} noted no {word}; the files are in {self._folder}") from error
        return round(posix_s - self._origin_posix_s, 3)

    def _file(self, name: str, word: str) -> Path:
        return self._folder / f"{name}.{word}"

    def _run(self, *argv: str) -> Completed:
        return self._runtime.commands.run(argv, timeout_s=_COMMAND_LIMIT_S, env=self._env)
