"""The codes of findings: one table, from which the docs and `--explain` are made."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """It does not work, or not on both versions of Airflow."""
    WARNING = "warning"
    """It works, but not for long, or not as it looks."""


@dataclass(frozen=True)
class Code:
    """One kind of finding.

    Attributes:
        name: never changes, so that `# noqa: NAME` stays true.
        title: what is found, in a few words.
        why: what happens because of it.
    """

    name: str
    severity: Severity
    title: str
    why: str


_E, _W = Severity.ERROR, Severity.WARNING

CODES = {
    code.name: code
    for code in (
        Code("LUTE001", _E, "not a Python file", "Airflow cannot read it."),
        Code("LUTE002", _E, "the file does not import", "Airflow shows an import error and no workflow."),
        Code("LUTE003", _E, "no DAG in the file", "Airflow ignores the file without a word."),
        Code(
            "LUTE004",
            _W,
            "not simulated",
            "Airflow runs it, but `lute-sim run` and `explore` refuse it, so it cannot be tried out there.",
        ),
        Code(
            "LUTE101",
            _W,
            "`schedule_interval=`",
            "Airflow 3 removed the keyword. It still works where LUTE's operators are imported first.",
        ),
        Code("LUTE102", _E, "import that Airflow 3 lacks", "The file does not import on Airflow 3."),
        Code("LUTE103", _W, "deprecated import", "Airflow 3 warns, and a later version will not import it."),
        Code("LUTE104", _E, "import that Airflow 2 lacks", "The file does not import on Airflow 2.11."),
        Code(
            "LUTE105",
            _E,
            "keyword that one version lacks",
            "Airflow 2.11 and 3.3 do not have the same keywords of DAGs and operators; an unknown one is an"
            " import error.",
        ),
        Code(
            "LUTE106",
            _E,
            "operators imported from an old place",
            "LUTE's operators are deployed as `lute.operators`; elsewhere lies no copy, or an old one.",
        ),
        Code("LUTE107", _E, "no such name in LUTE's operators", "The file does not import."),
        Code(
            "LUTE201", _E, "dag_id without `lute_`", "The launcher starts `lute_WORKFLOW` and no other DAG."
        ),
        Code(
            "LUTE202",
            _W,
            "dag_id is not the file's name",
            "The workflow's users look for it in another file, and are not told its import errors.",
        ),
        Code("LUTE203", _E, "unknown keyword of DAG", "The file does not import."),
        Code(
            "LUTE204",
            _E,
            "no schedule given",
            "Airflow 2.11 then starts a run each day; without the launcher's conf each of them fails.",
        ),
        Code(
            "LUTE205",
            _W,
            "a schedule",
            "Runs that Airflow starts itself have no conf of the launcher (experiment, token), and fail.",
        ),
        Code(
            "LUTE206",
            _E,
            "start_date in the future",
            "A run before that date ends as a success without having run a single step.",
        ),
        Code(
            "LUTE207",
            _W,
            "start_date that moves",
            "Airflow reads the file again and again: the date is another one each time, and may be later than"
            " a run's own.",
        ),
        Code(
            "LUTE208",
            _W,
            "`catchup=True`",
            "With a schedule, Airflow makes up for all days gone.",
        ),
        Code("LUTE301", _E, "unknown or missing argument of a step", "The file does not import."),
        Code("LUTE302", _E, "no such managed Task", "The step's job fails at once."),
        Code("LUTE303", _E, "task_id used twice", "The file does not import."),
        Code("LUTE304", _E, "cap that can never hold", "The step fails when it is about to be submitted."),
        Code(
            "LUTE305",
            _W,
            "argument without effect",
            "custom_slurm_params replaces all arguments, and neither caps nor require_partition apply to it.",
        ),
        Code("LUTE306", _E, "require_partition names no partition", "sbatch refuses the job."),
        Code(
            "LUTE307",
            _E,
            "custom_slurm_params that sbatch refuses",
            "The step fails when it is about to be submitted.",
        ),
        Code(
            "LUTE308", _W, "arguments that contradict each other", "The job gets less, or more, than it says."
        ),
        Code("LUTE309", _E, "unknown trigger rule", "The file does not import, or not on both versions."),
        Code("LUTE401", _E, "steps wait for each other", "Airflow refuses a DAG with a cycle."),
        Code(
            "LUTE402",
            _W,
            "step linked to nothing",
            "It runs at once and nothing waits for it: `>>` may have been forgotten.",
        ),
        Code(
            "LUTE403",
            _W,
            "two steps may write the same files at once",
            "Nothing says which of them runs first, and both run the same Task with the same parameters.",
        ),
        Code(
            "LUTE501",
            _W,
            "HTTP while the file is read",
            "Airflow reads the file every 30 s and in every task: each time somebody is asked.",
        ),
        Code(
            "LUTE502",
            _W,
            "Airflow's database asked while the file is read",
            "Airflow reads the file every 30 s and in every task, and the value may change within a run.",
        ),
        Code(
            "LUTE503",
            _E,
            "exit while the file is read",
            "Airflow gets no workflow, and may lose its reader.",
        ),
        Code(
            "LUTE504",
            _W,
            "waiting while the file is read",
            "Airflow gives a file 30 s, and reads it again in every task.",
        ),
        Code(
            "LUTE505",
            _E,
            "credential in the file",
            "Whoever may read the file, its repository or Airflow's web page has it.",
        ),
        Code("LUTE601", _E, "configuration cannot be used", "Every step fails at its start."),
        Code("LUTE602", _E, "parameter of a Task missing or wrong", "The step's job fails at once."),
    )
}
