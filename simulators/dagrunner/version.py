"""What differs between Airflow 2.11 and 3.3, and how long things take (measured)."""

from dataclasses import dataclass
from datetime import datetime

Range = tuple[float, float]


@dataclass(frozen=True)
class AirflowConf:
    """One Airflow instance.

    Attributes:
        version: "2.11.2" or "3.3.2".
        loop_s: from a change to the scheduler's next look at it.
        parse_s: from a request to read a DAG file to its DAGs being there.
        launch_s: from the executor's start of a try to its first line.
        heartbeat_s: longest time until a running try notices that its state was changed from outside.
        triggerer_poll_s: longest time until the triggerer starts or cancels a trigger.
        kill_raises: the SIGTERM handler raises AirflowTaskTerminated after on_kill (2.11); else `execute`
            just goes on (3.3).
        kill_limit_s: from SIGTERM to SIGKILL.
        trigger_has_on_kill: a user's kill of a deferred task calls the trigger's `on_kill` (3.3).
        clear_kills: clearing a running task over REST has its effect (3.3; on 2.11 it has none).
        strict_xcoms: XComs with NUL, lone surrogates or NaN are refused (3.3 on PostgreSQL).
        success_marks_all: marking a run a success marks all its tasks, even failed ones (2.11).
        exit_0_succeeds: `sys.exit(0)` in `execute` is a success (2.11); else a failure as any exit (3.3).
        time_limit_counts_deferral: `execution_timeout` counts from the try's first start (2.11); else it
            starts anew when a deferred task goes on (3.3).
        pull_skips_missing: what is pulled from several tasks lacks those that pushed nothing (2.11); else
            it has None for them (3.3).
        skip_calls_success: a skipped task calls `on_success_callback`, too (2.11).
        has_dag_processor: DAG files are read by a component of its own (3.3).
        end_event_quotes_xcoms: REST gives a text that a trigger's last event pushed as JSON of it (3.3).
        timeout_check_s: seconds between two looks of the scheduler for deferrals that take too long.
        zombie_s: a try without heartbeats is failed after so long.
        zombie_check_s: seconds between two looks for such tries.
        parallelism: tries that run at the same time in the whole instance.
    """

    version: str
    loop_s: Range
    launch_s: Range
    parse_s: Range
    kill_raises: bool
    kill_limit_s: float
    trigger_has_on_kill: bool
    clear_kills: bool
    strict_xcoms: bool
    success_marks_all: bool
    exit_0_succeeds: bool
    time_limit_counts_deferral: bool
    pull_skips_missing: bool
    skip_calls_success: bool
    has_dag_processor: bool
    end_event_quotes_xcoms: bool
    heartbeat_s: float = 5.0
    triggerer_poll_s: float = 2.0
    timeout_check_s: float = 15.0
    zombie_s: float = 300.0
    zombie_check_s: float = 10.0
    parallelism: int = 32

    def logical_date_of(self, given: datetime | None, queued: datetime) -> datetime | None:
        """Return the logical date of a run; 2.11 takes the moment of the request if it names none."""
        return queued if given is None and self.version.startswith("2.") else given


AIRFLOW_2 = AirflowConf(
    version="2.11.2",
    loop_s=(0.1, 0.5),
    launch_s=(0.2, 0.4),
    parse_s=(1.0, 2.0),
    kill_raises=True,
    kill_limit_s=60.0,
    trigger_has_on_kill=False,
    clear_kills=False,
    strict_xcoms=False,
    success_marks_all=True,
    exit_0_succeeds=True,
    time_limit_counts_deferral=True,
    pull_skips_missing=True,
    skip_calls_success=True,
    has_dag_processor=False,
    end_event_quotes_xcoms=False,
)
"""On PostgreSQL with LocalExecutor: 0.3 to 0.9 s between two tasks."""

AIRFLOW_3 = AirflowConf(
    version="3.3.2",
    loop_s=(0.2, 0.6),
    launch_s=(0.4, 0.8),
    parse_s=(0.4, 4.4),
    kill_raises=False,
    kill_limit_s=5.0,
    trigger_has_on_kill=True,
    clear_kills=True,
    strict_xcoms=True,
    success_marks_all=False,
    exit_0_succeeds=False,
    time_limit_counts_deferral=False,
    pull_skips_missing=False,
    skip_calls_success=False,
    has_dag_processor=True,
    end_event_quotes_xcoms=True,
)
"""With defaults: 0.8 to 1.8 s to the first task, 0.9 to 1.2 s between two."""


def conf_of(version: str) -> AirflowConf:
    """Return the behaviour of an installed version."""
    return AIRFLOW_2 if version.startswith("2.") else AIRFLOW_3
