"""One virtual facility: launcher, Airflow, JID, eLog and Slurm in one process, in virtual time.

    scenario = Scenario(workflow="test")
    with Facility(scenario, seed=1) as world:
        result = world.run()
    result.run_state  # 'success'

Production code runs unchanged in it: the launcher, the operators inside the installed Airflow's own DAG and
operator classes, the clients. What they reach through the four seams is simulated.
"""

import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from lute.airflow_api.models import TaskState
from lute.errors import ConfigError, did_you_mean
from lute.seams import Runtime, installed
from lute.workflows.model import DAG_PREFIX
from simulators import environ
from simulators.dagrunner.installed import own_secrets
from simulators.dagrunner.instance import Instance
from simulators.dagrunner.service import AirflowServer
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.dagrunner.variables import connected
from simulators.elog.server import ElogServer
from simulators.elog.service import ElogService
from simulators.elog.state import ElogState
from simulators.faults.model import Moment
from simulators.faults.plan import Plan
from simulators.jid.server import JidServer
from simulators.jid.service import JidService
from simulators.jid.state import JidState
from simulators.jid.tokens import TokenAuthority, shared_key
from simulators.jid.virtual_host import VirtualHost
from simulators.kernel.actors import Actors
from simulators.kernel.clock import VirtualClock
from simulators.kernel.events import Agenda
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace
from simulators.net.network import Latency, Network
from simulators.net.session import VirtualSession
from simulators.scenario.schema import Scenario, TaskModel
from simulators.slurm import patterns
from simulators.slurm.conf import TUNED, SlurmConf
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel
from simulators.slurm.virtual import SCIENTIST, VirtualSlurm
from simulators.virtual.commands import WaitingCommands
from simulators.virtual.counters import CounterReports
from simulators.virtual.identity import SeededIdentity
from simulators.virtual.jobs import Jobs
from simulators.virtual.launch import Launch

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = ROOT / "workflows" / "airflow"
CONFIG = Path(__file__).parent / "virtual" / "tasks.yaml"
SITE = Path(__file__).parent / "virtual" / "site.toml"
SITES = {"conf": SITE, "variable": SITE.with_name("site_variable.toml")}
"""The same site by its token_channel."""
START_S = 1_800_000_000.0
"""The moment at which every world begins: 2027-01-15 08:00 UTC."""
EXPERIMENT, RUN = "mfxl1000126", "12"
JID_URL = "http://jid.virtual:8446/jid/ws"
_OF_THE_ARP = frozenset({"ARP_JOB_ID", "ARP_LOCATION", "JID_UPDATE_COUNTERS"})
_SETTLE_S = 30.0
_LATENCY = Latency(work_s={"jid.start_job": (0.3, 0.9), "jid.kill_job": (0.02, 0.1)})
"""submit_slurm.sh with its sbatch takes 0.3 to 0.9 s, scancel 0.02 to 0.1 s (measured)."""


class Facility:
    """A world for one run of a scenario. Use as a context manager: it changes this process meanwhile.

    Args:
        dags: folder of DAG files.
        trace: takes the record of the run; None for one that only counts.

    Attributes:
        start_s: the moment at which the launchers start, in POSIX seconds.
        launch_env: what a launcher's environment has instead of the usual.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int = 0,
        dags: Path = WORKFLOWS,
        config: Path = CONFIG,
        trace: Trace | None = None,
    ) -> None:
        self.scenario = scenario
        self.seeds = Seeds(seed)
        self.trace = trace or Trace()
        self.agenda = Agenda(START_S)
        self.start_s = START_S
        self.actors = Actors(self.agenda)
        self.clock = VirtualClock(self.agenda, self.actors)
        self.network = Network(self.actors, self.trace, self.seeds.stream("net.latency"), _LATENCY)
        self.token_lifetime_min = 300.0
        self.token_user = SCIENTIST.user
        self.tokens = TokenAuthority(self.clock, shared_key())
        self.launch_env: dict[str, str] = {}
        self.launches: list[Launch] = []
        self._config = config
        self._site = SITES[scenario.token_channel]
        self._stack = ExitStack()
        self._files = ""
        self.slurm = self._new_slurm()
        with environ.changed(self._airflow_env):
            self.airflow = Instance(
                self.actors,
                self.seeds,
                self.trace,
                dags=dags,
                users=_users(),
                retries=scenario.retries,
                retry_delay_s=scenario.retry_delay_s,
            )
        if f"lute_{scenario.workflow}" not in self.airflow.state.dags:
            self._refuse_workflow()
        self._open_runs = 0
        self._serve()
        self.plan = Plan(list(scenario.faults), self)
        self.network.meddler = self.plan

    @property
    def _airflow_env(self) -> dict[str, str]:
        return {"AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": str(self.scenario.deferrable)}

    @property
    def secrets(self) -> list[str]:
        """All tokens that there ever were."""
        return self.tokens.issued

    @property
    def dag_id(self) -> str:
        """The DAG of the scenario's workflow; of one of the user's own, of its last launch."""
        own = [name for name in self.airflow.state.dags if name.startswith(DAG_PREFIX)]
        return own[-1] if own and self.scenario.user_workflow else f"lute_{self.scenario.workflow}"

    def runtime(self) -> Runtime:
        """Return the four seams of this world."""
        return Runtime(
            clock=self.clock,
            commands=WaitingCommands(self.slurm, self.clock),
            new_session=lambda: VirtualSession(self.network),
            identity=SeededIdentity(self.seeds.stream("identity")),
            negotiate=lambda _host, _ccache: f"Negotiate {SCIENTIST.user}",
        )

    def __enter__(self) -> Self:
        values = {
            "LUTE_SITE": str(self._site),
            "LOGNAME": SCIENTIST.user,
            # Airflow asks the environment first: so it never looks in a database, which would be somebody's.
            "AIRFLOW_CONN_JID_DEFAULT": f'{{"conn_type": "jid", "host": "{JID_URL}"}}',
        } | self._airflow_env
        self._stack.enter_context(environ.changed(values))
        self._stack.enter_context(own_secrets())
        self._stack.enter_context(connected(self.airflow.state))
        self._stack.enter_context(installed(self.runtime))
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self.actors.close()
        finally:
            self._stack.close()

    def launch(self, *more: str, user_workflow: str = "") -> Launch:
        """Start the launcher for the scenario's workflow, or for one of the user's own, as in a file."""
        number = len(self.launches) + 1
        own = user_workflow or self.scenario.user_workflow
        chosen = ["-W", self._file(f"workflow-{number}.yaml", own)] if own else ["-w", self.scenario.workflow]
        token = self.tokens.issue(self.token_user, EXPERIMENT, lifetime_min=self.token_lifetime_min)
        root = f"{number:024x}"
        env = {
            "LUTE_SITE": str(self._site),
            "EXPERIMENT": EXPERIMENT,
            "RUN_NUM": RUN,
            "Authorization": f"Bearer {token}",
            "ARP_JOB_ID": root,
            "ARP_LOCATION": "S3DF",
            "LUTE_LAUNCHER_JOB": str(900_000 + number),
            "JID_UPDATE_COUNTERS": f"{JID_URL}/replace_counters/{EXPERIMENT}/{root}",
        } | self.launch_env
        if self.scenario.started_from == "shell":
            env = {name: value for name, value in env.items() if name not in _OF_THE_ARP}
        return self._launch(["-c", str(self._config), *chosen, *self.scenario.slurm_args, *more], env)

    def attach(self) -> Launch | None:
        """Start a launcher that stays with the first run, None if there is no run."""
        run_id = next((run.run_id for run in self.airflow.state.runs.values()), None)
        if run_id is None:
            return None
        env = {name: value for name, value in self.launches[0].env.items() if name != "LUTE_LAUNCHER_JOB"}
        return self._launch(["--attach", run_id, "-w", self.scenario.workflow], env)

    def restart(self, launch: Launch) -> None:
        """Start a launcher's own batch job again, as Slurm does when its node has died."""
        self._launch(launch.argv, {**launch.env, "SLURM_RESTART_COUNT": "1"})

    def _launch(self, argv: list[str], env: dict[str, str]) -> Launch:
        number = len(self.launches) + 1
        name = "launcher" if number == 1 else f"launcher-{number}"
        self._note(name, "start", argv=[_without_root(word).replace(self._files, "") for word in argv])
        started = Launch(
            name,
            self.actors,
            argv,
            env,
            self.runtime(),
            on_line=lambda line: self._note(name, "print", text=_without_root(_without_time(line))),
            on_end=self._launcher_ended,
            files=self.slurm.files,
        )
        self.launches.append(started)
        return started

    def begin(self) -> None:
        """Set the faults up and start the scenario's launchers."""
        self.plan.begin()
        for _ in range(self.scenario.launches):
            self.launch()

    def finish(self) -> bool:
        """Let time pass until everything has ended, and a little longer; return False if it has not.

        Raises:
            RuntimeError: a part of the world crashed in an actor of its own.
        """
        deadline_s = self.start_s + self.scenario.deadline_s
        agenda = self.agenda
        while True:
            while not self.is_over:
                next_s = agenda.next_time_s
                if next_s is None or next_s > deadline_s:
                    return False
                agenda.step()
                self._raise_crash()
            agenda.advance(agenda.now_s + _SETTLE_S)
            self._raise_crash()
            if self.is_over:  # nobody has had anything run again meanwhile
                return True

    @property
    def is_over(self) -> bool:
        """True once no launcher, no DAG run and no job is left."""
        return (
            not self.jobs.live
            and not self._open_runs
            and all(launch.actor.is_over for launch in self.launches)
            and not self.airflow.executor.tries
        )

    def job(self, job_id: int | None) -> Job | None:
        """Return a job that Slurm remembers, None if there is none."""
        return None if job_id is None else self.slurm.cluster.jobs.get(job_id)

    def last_job(self, task: str) -> int | None:
        """Return the id of a task's last job, None if it has none."""
        found = self.jobs.by_task.get(task)
        return found[-1] if found else None

    def when_job_ends(self, job_id: int, call: Callable[[], None]) -> None:
        """Call once a job has ended."""
        self.jobs.on_end.setdefault(job_id, []).append(call)

    def submit_other(self, name: str, *, duration_s: float, exit_code: int) -> str:
        """Submit a job of the same user that is no part of the workflow; return what sbatch says."""
        self.jobs.others[name] = TaskModel(duration_s=duration_s, exit_code=exit_code)
        return self.slurm.run(["sbatch", f"--job-name={name}", f"/opt/{name}.sh"]).stdout.strip()

    def log_path(self, job_id: int | None) -> str | None:
        """Return where a job's output lies."""
        job = self.job(job_id)
        return None if job is None else patterns.stdout_path(job, self.slurm.launcher.host)

    def airflow_task(self, label: str | None) -> tuple[DagRun, TaskInstance] | None:
        """Return a task by its name (`Tester`; `Tester#2` in the second run), the first started one for None.

        None is for the last run.
        """
        name_of = self.airflow.executor.name_of
        for run in reversed(list(self.airflow.state.runs.values())):
            for record in run.tasks.values():
                if record.try_number if label is None else name_of(run, record) == label:
                    return run, record
        return None

    @property
    def running_launch(self) -> Launch | None:
        """The first launcher that still runs."""
        return next((launch for launch in self.launches if not launch.actor.is_over), None)

    def send_signal(self, launch: Launch, number: signal.Signals) -> None:
        """Send a signal to a launcher; harmless if it has ended."""
        if launch.signals.send(number):
            self._note(launch.name, "signal", signal=number.name)

    def note_controller(self, state: str) -> None:
        """Note in the trace that slurmctld is up or down."""
        self._note("slurm", "controller", state=state)

    def _new_slurm(self) -> VirtualSlurm:
        model = self.scenario.cluster
        given = {} if model.partitions is None else {"partitions": model.partitions}
        conf = SlurmConf(
            scheduler_parameters=TUNED,
            job_requeue=model.job_requeue,
            min_job_age_s=model.min_job_age_s,
            max_time_min=model.max_time_min,
            **given,  # type: ignore[arg-type]
        )
        self.jobs = Jobs(
            self.scenario.tasks,
            self.seeds,
            self.trace,
            now_s=lambda: self.agenda.now_s,
            submitter=lambda: self.network.delivering,
            try_of=self._try_of,
            on_moment=lambda task, moment, job_id: self.plan.reached(task, moment, job_id),
        )
        slurm = VirtualSlurm(
            self.agenda, conf, model_of=self._model_of, draw=self.seeds.stream("slurm.clients")
        )
        reports = CounterReports(
            self.actors,
            self.runtime,
            wants=lambda job: self.jobs.task_model(job).reports_counters,
            say=self._print_into_log,
        )
        slurm.controller.life.on_change += [self.jobs.changed, reports.changed]
        slurm.controller.nodes.on_node.append(
            lambda node: self._note("slurm", "node", node=node.name, state=node.admin.lower() or "up")
        )
        return slurm

    def _model_of(self, job: Job) -> JobModel:
        """Return what a job does: nothing if another one is its step's."""
        if self.host.records.may_run(job.request.comment, job.id):
            return self.jobs.model_of(job)
        return JobModel(duration_s=0.1, exit_code=1, log="another job runs this step: nothing to do here\n")

    def _print_into_log(self, job: Job, line: str) -> None:
        path = patterns.stdout_path(job, self.slurm.launcher.host)
        self.slurm.files[path] = self.slurm.files.get(path, "") + line

    def _serve(self) -> None:
        self.host = VirtualHost(self.slurm)
        jid = JidService(
            JidState(),
            self.host,
            self.tokens,
            base_url=JID_URL,
        )
        jid_server = JidServer(jid)
        self.network.serve("jid.virtual:8446", jid_server)
        self.network.serve("airflow.virtual:8080", AirflowServer(self.airflow))
        elog = ElogState(self.clock, {"S3DF": "http://jid.virtual:8446/"})
        elog.add_experiment(EXPERIMENT, posters={SCIENTIST.user})
        asks = ElogService(elog, self.tokens, jid_server.handle)
        self.network.serve("elog.virtual", ElogServer(asks, elog, self.tokens))
        database = self.airflow.database
        database.on_task.append(self._task_moved)
        database.on_run.append(self._run_moved)
        database.on_xcom.append(self._xcom_pushed)

    def _task_moved(self, run: DagRun, record: TaskInstance, before: TaskState) -> None:
        label = self.airflow.executor.name_of(run, record)
        if record.state is TaskState.RUNNING and before is not TaskState.DEFERRED:
            self.plan.reached(label, Moment.RUNNING, None)
        elif record.state is TaskState.DEFERRED:
            self.plan.reached(label, Moment.DEFERRED, None)
        elif before is TaskState.RUNNING:
            self.plan.reached(label, Moment.ENDED, None)

    def _xcom_pushed(self, record: TaskInstance, key: str) -> None:
        run = self.airflow.state.run(record.dag_id, record.run_id)
        if key == "job" and run is not None:
            label = self.airflow.executor.name_of(run, record)
            self.plan.reached(label, Moment.REMEMBERED, None)

    def _run_moved(self, _run: DagRun) -> None:
        self._open_runs = sum(not run.state.is_final for run in self.airflow.state.runs.values())

    def _launcher_ended(self, launch: Launch) -> None:
        more = {"crash": launch.crash} if launch.crash else {}
        self._note(launch.name, "end", exit_code=launch.exit_code, **more)

    def _raise_crash(self) -> None:
        for actor in self.actors.failed:
            if isinstance(actor.error, Exception | SystemExit):
                raise RuntimeError(f"{actor.name} crashed: {actor.error!r}") from actor.error
            if actor.error is not None:  # somebody asks this process to end
                raise actor.error

    def _file(self, name: str, text: str) -> str:
        """Write a file of the user's and return its path."""
        if not self._files:
            self._files = self._stack.enter_context(TemporaryDirectory(prefix="lute-world-")) + "/"
        path = Path(self._files) / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _try_of(self, task: str) -> int:
        found = self.airflow_task(task)
        return found[1].try_number if found else 0

    def _note(self, actor: str, event: str, **fields: object) -> None:
        self.trace.note(self.agenda.now_s, actor, event, **fields)

    def _refuse_workflow(self) -> None:
        workflow = self.scenario.workflow
        failed = {Path(report.file).stem: report for report in self.airflow.state.import_errors}
        if workflow in failed:
            lines = failed[workflow].stack_trace.strip().splitlines()
            raise ConfigError(f"cannot be imported: {lines[-1]}", file=failed[workflow].file)
        names = [name.removeprefix("lute_") for name in self.airflow.state.dags if name.startswith("lute_")]
        raise ConfigError(f"there is no workflow '{workflow}': {did_you_mean(workflow, names)}")


def _users() -> Mapping[str, str]:
    return {"lute": (SITE.parent / "airflow_password.txt").read_text().strip()}


def _without_time(line: str) -> str:
    """Return a line of the launcher without its time of day, which depends on the time zone."""
    return line[9:] if line[2:3] == ":" and line[5:6] == ":" and line[8:9] == " " else line


def _without_root(text: str) -> str:
    return text.replace(f"{ROOT}/", "")
