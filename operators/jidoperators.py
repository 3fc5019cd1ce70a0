"""The operator that runs one managed Task in Slurm, through the JID.

from lute.operators.jidoperators import JIDSlurmOperator

JIDSlurmOperator(task_id="Tester", max_cores=8, dag=dag)
"""

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from lute.errors import ConfigError, LuteError, TransientError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord, RunConf, control_document, parse_run_conf
from lute.operators._compat import (
    AirflowException,
    AirflowFailException,
    BaseOperator,
    Context,
    mask_secret,
    teach_dag_the_old_keyword,
)
from lute.operators.hook import JidHook
from lute.operators.lifecycle import Lifecycle, Outcome, StepStopped
from lute.redact import redact
from lute.seams import Runtime, current_runtime
from lute.settings import environment, load_settings
from lute.slurm.arguments import parse_step_arguments

teach_dag_the_old_keyword()


class JIDSlurmOperator(BaseOperator):  # type: ignore[misc]
    """Runs the managed Task named by its `task_id` (inside a task group: by its last part).

    The step succeeds only if the Slurm job ended as DONE. Its log goes to the XCom `log`, and
    `{"tool_id", "status", "log_file_path"}` to the XCom `job`, as JSON text.

    Args:
        user: `run_as_user` of the control document; the launching user if empty.
        poke_interval: longest time between two polls, in seconds.
        max_cores: cap on tasks times cpus per task.
        max_nodes: cap on nodes.
        require_partition: partition of this step, whatever the launcher asks for.
        custom_slurm_params: this step's sbatch arguments, instead of all of the launcher's; caps do not
            apply to them.
    """

    ui_color = "#006699"
    ui_fgcolor = "#FFFFFF"

    def __init__(
        self,
        *,
        user: str = "",
        poke_interval: float = 10.0,
        max_cores: int | None = None,
        max_nodes: int | None = None,
        require_partition: str | None = None,
        custom_slurm_params: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.user = user
        self.poke_interval = poke_interval
        self.max_cores = max_cores
        self.max_nodes = max_nodes
        self.require_partition = require_partition
        self.custom_slurm_params = custom_slurm_params
        self._running: tuple[Callable[[], JidClient], JobRecord] | None = None
        self._killed = False

    @property
    def managed_task(self) -> str:
        """The managed Task's name."""
        return str(self.task_id).rpartition(".")[2]

    def execute(self, context: Context) -> None:
        """Run the step to its end.

        Raises:
            AirflowFailException: trying again cannot help.
            AirflowException: the job failed, or the JID was out of reach for too long.
        """
        ti = context["ti"]
        try:
            conf = parse_run_conf(context["dag_run"].conf or {})
            mask_secret(conf.authorization)
            mask_secret(conf.authorization.removeprefix("Bearer ").strip())
            outcome = self._run(conf, ti)
        except LuteError as error:
            # The launcher's user sees this XCom, not Airflow's own log.
            ti.xcom_push(key="log", value=f"[no log: {redact(str(error))}]\n")
            again = isinstance(error, TransientError)
            raise (AirflowException if again else AirflowFailException)(
                f"{self.managed_task}: {redact(str(error))}"
            ) from error
        except StepStopped as stop:
            raise AirflowException(f"{self.managed_task} was stopped: {stop}") from stop
        except Exception as error:
            ti.xcom_push(key="log", value=f"[no log: {type(error).__name__}: {redact(str(error))}]\n")
            raise
        ti.xcom_push(key="log", value=outcome.log)
        ti.xcom_push(key="job", value=_summary(outcome.record))
        if not outcome.status.is_success:
            raise AirflowException(
                f"{self.managed_task}: Slurm job {outcome.record.tool_id} ended as {outcome.status};"
                f" its log: {outcome.record.log_file_path}"
            )

    def on_kill(self) -> None:
        """Cancel the Slurm job. Airflow calls this from a signal handler and then ends the process."""
        self._killed = True
        if self._running is None:
            # No reply of the JID yet: when it comes, the waiting code cancels the job, if it still can.
            self.log.warning("Killed while the job was being submitted: look in squeue for it")
            return
        new_client, record = self._running
        self.log.info("Killed: cancelling Slurm job %s", record.tool_id)
        try:
            # A session of its own: the one in flight was interrupted by the signal.
            new_client().kill_job(record)
        except LuteError as error:
            self.log.error("Slurm job %s may still run: %s", record.tool_id, redact(str(error)))

    def slurm_arguments(self, launcher_arguments: Sequence[str]) -> list[str]:
        """Return this step's sbatch arguments, one token each.

        Raises:
            ConfigError: the arguments are not sbatch's.
        """
        if self.custom_slurm_params:
            try:
                words = shlex.split(self.custom_slurm_params)
            except ValueError as error:
                raise ConfigError(
                    f"custom_slurm_params is no command line: {error}", next_step="correct the DAG file"
                ) from error
            return parse_step_arguments(words).render()
        arguments = parse_step_arguments(launcher_arguments)
        return arguments.capped(
            max_cores=self.max_cores, max_nodes=self.max_nodes, partition=self.require_partition
        ).render()

    def _run(self, conf: RunConf, ti: Any) -> Outcome:
        settings = load_settings(environment())
        runtime = current_runtime()
        # Looked up once: in a signal handler Airflow cannot be asked.
        base_url = JidHook().base_url(settings)

        def new_client() -> JidClient:
            return JidClient(base_url, conf.authorization, runtime=runtime, timeouts=settings.timeouts)

        def remember(record: JobRecord) -> None:
            self._running = (new_client, record)
            ti.xcom_push(key="job", value=_summary(record))

        lifecycle = Lifecycle(
            new_client(),
            clock=runtime.clock,
            settings=settings,
            poke_interval_s=self.poke_interval,
            log=self.log,
            remember=remember,
            stopped=lambda: self._killed,
        )
        return lifecycle.run(self._document(conf, runtime))

    def _document(self, conf: RunConf, runtime: Runtime) -> dict[str, Any]:
        if not conf.lute_location.startswith("/"):
            raise ConfigError(f"lute_location must be an absolute path: '{conf.lute_location}'")
        words = ["-c", conf.lute_params.config_file, "-t", self.managed_task]
        if conf.lute_params.debug:
            words.append("--debug")
        words += self.slurm_arguments(conf.slurm_params)
        return control_document(
            conf,
            task=self.managed_task,
            executable=f"{conf.lute_location}/{conf.executable_subdir}/submit_slurm.sh",
            parameters=shlex.join(words),
            run_as_user=self.user or conf.user,
            identity=runtime.identity,
        )


def _summary(record: JobRecord) -> str:
    """Return what the launcher needs to know, as JSON text: Airflow 2 gives other values as Python's text."""
    return json.dumps(
        {"tool_id": record.tool_id, "status": record.status_word, "log_file_path": record.log_file_path}
    )
