"""The operator that runs one managed Task in Slurm, through the JID.

from lute.operators.jidoperators import JIDSlurmOperator

JIDSlurmOperator(task_id="Tester", max_cores=8, dag=dag)
"""

import shlex
from collections.abc import Callable, Sequence
from typing import Any

from lute.errors import ConfigError, LuteError, PermanentError, RemoteError, TransientError
from lute.jid.documents import JobRecord, parse_run_conf
from lute.jid.submission import Submission
from lute.jid.wire import parse_record
from lute.operators._compat import (
    AirflowException,
    AirflowFailException,
    BaseOperator,
    Context,
    defers_by_default,
    kill_limit_s,
    teach_dag_the_old_keyword,
)
from lute.operators.hook import JidHook
from lute.operators.lifecycle import JobMayRun, StepStopped
from lute.operators.step import Step
from lute.operators.triggers import JobTrigger
from lute.operators.waiting import Limits
from lute.operators.xcoms import UNKNOWN_JOB, job_xcom
from lute.redact import redact
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
        deferrable: wait in Airflow's triggerer, without a worker slot; None for what Airflow's setting
            `[operators] default_deferrable` says.
        queue_timeout_s: a job that waits in Slurm's queue for longer is cancelled, and the step fails.
        run_timeout_s: likewise a job that runs for longer.
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
        deferrable: bool | None = None,
        queue_timeout_s: float | None = None,
        run_timeout_s: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.user = user
        self.poke_interval = poke_interval
        self.max_cores = max_cores
        self.max_nodes = max_nodes
        self.require_partition = require_partition
        self.custom_slurm_params = custom_slurm_params
        self.deferrable = defers_by_default() if deferrable is None else deferrable
        self.queue_timeout_s = queue_timeout_s
        self.run_timeout_s = run_timeout_s
        self._step: Step | None = None
        self._record: JobRecord | None = None
        self._killed = False

    @property
    def managed_task(self) -> str:
        """The managed Task's name."""
        return str(self.task_id).rpartition(".")[2]

    def execute(self, context: Context) -> None:
        """Run the step to its end, or to where the triggerer takes over.

        Raises:
            AirflowFailException: trying again cannot help.
            AirflowException: the job failed, or the JID was out of reach for too long.
        """
        self._reporting(context, self._execute)

    def resume(self, context: Context, event: dict[str, Any]) -> None:
        """Go on after the triggerer has waited, unless that could end the step; see `JobTrigger`."""
        self._reporting(context, lambda step, ti: self._resume(step, ti, event))

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after a deferral, as Airflow has it; a trigger that failed must not leave the job behind."""
        if next_method == "__fail__":
            self._reporting(context, self._cancel_submission)
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """Cancel the Slurm job. Airflow calls this from a signal handler and then ends the process."""
        self._killed = True
        if self._step is None:
            return
        self.log.info(
            "Killed: cancelling %s", f"job {self._record.tool_id}" if self._record else "the submission"
        )
        try:
            self._step.kill(self._record, kill_limit_s())
        except LuteError as error:
            self.log.error("Its Slurm job may still run: %s", redact(str(error)))

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

    def _reporting(self, context: Context, work: Callable[[Step, Any], None]) -> None:
        """Do `work`; turn errors into Airflow's, and tell the launcher's user, who sees no log of Airflow."""
        ti = context["ti"]
        try:
            work(self._new_step(context), ti)
        except LuteError as error:
            ti.xcom_push(key="log", value=f"[no log: {redact(str(error))}]\n")
            again = isinstance(error, TransientError)
            raise (AirflowException if again else AirflowFailException)(
                f"{self.managed_task}: {redact(str(error))}"
            ) from error
        except StepStopped as stop:
            raise AirflowException(f"{self.managed_task} was stopped: {stop}") from stop
        except AirflowException:
            raise
        except Exception as error:
            ti.xcom_push(key="log", value=f"[no log: {type(error).__name__}: {redact(str(error))}]\n")
            raise

    def _new_step(self, context: Context) -> Step:
        conf = parse_run_conf(context["dag_run"].conf or {})
        ti = context["ti"]
        # Airflow lets a cleared task have its retries anew, on top of the tries that it has had. No try comes
        # before those; it looks so where somebody has lowered the DAG file's retries meanwhile.
        cleared_at = max(0, ti.max_tries - (self.retries or 0))
        if cleared_at >= ti.try_number:
            cleared_at = 0
        submission = Submission(ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number, cleared_at)
        self._step = Step(
            conf,
            submission,
            find_jid=JidHook().base_url,
            task=self.managed_task,
            slurm_arguments=self.slurm_arguments(conf.slurm_params),
            run_as_user=self.user or conf.user,
            log=self.log,
            stopped=lambda: self._killed,
        )
        return self._step

    def _execute(self, step: Step, ti: Any) -> None:
        try:
            record = step.lifecycle.submit(step.document)
        except JobMayRun:
            ti.xcom_push(key="job", value=UNKNOWN_JOB)  # for the launcher, which can ask Slurm
            raise
        self._remember(record, ti)
        if self._killed:
            raise StepStopped(step.lifecycle.cancel(record)[0])
        if self.deferrable and (record.status is None or record.status.is_active):
            self.defer(
                trigger=JobTrigger(
                    base_url=step.base_url,
                    authorization=step.authorization,
                    job=record.document,
                    document=step.document,
                    submitted_s=step.runtime.clock.now().timestamp(),
                    poke_interval_s=self.poke_interval,
                    queue_timeout_s=self.queue_timeout_s,
                    run_timeout_s=self.run_timeout_s,
                ),
                method_name="resume",
                timeout=self.execution_timeout,
            )
        limits = Limits(self.poke_interval, self.queue_timeout_s, self.run_timeout_s)
        self._conclude(step, ti, step.lifecycle.wait(record, step.document, limits))

    def _resume(self, step: Step, ti: Any, event: dict[str, Any]) -> None:
        record = parse_record(event["job"])
        self._remember(record, ti)
        trouble = event.get("trouble")
        if trouble is not None:
            kind: type[RemoteError] = TransientError if trouble.pop("again") else PermanentError
            step.lifecycle.abandon(record, kind(**trouble))
        self._conclude(step, ti, record)

    def _cancel_submission(self, step: Step, _ti: Any) -> None:
        step.kill(None, kill_limit_s())

    def _remember(self, record: JobRecord, ti: Any) -> None:
        self._record = record
        ti.xcom_push(key="job", value=job_xcom(record))

    def _conclude(self, step: Step, ti: Any, record: JobRecord) -> None:
        outcome = step.lifecycle.conclude(record)
        ti.xcom_push(key="log", value=outcome.log)
        ti.xcom_push(key="job", value=job_xcom(outcome.record))
        if not outcome.status.is_success:
            raise AirflowException(
                f"{self.managed_task}: Slurm job {outcome.record.tool_id} ended as {outcome.status};"
                f" its log: {outcome.record.log_file_path}"
            )
