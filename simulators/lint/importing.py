"""Importing a DAG file as Airflow does, and what Airflow would say to it."""

import contextlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lute.redact import redact
from simulators.lint.dag_calls import dag_line
from simulators.lint.finding import Finding
from simulators.lint.source import Source


@dataclass(frozen=True)
class Imported:
    """What importing a file gave.

    Attributes:
        dags: its DAGs by id; None where it does not import.
        findings: what Airflow or the dagrunner would say.
    """

    dags: dict[str, Any] | None
    findings: list[Finding] = field(default_factory=list)


def import_file(source: Source) -> Imported:
    """Run a DAG file, with its folder on the path for its imports; what it prints goes to standard error.

    It sees an Airflow without Variables and Connections.
    """
    from simulators.dagrunner.load import NotSimulatedError, check_simulated, import_dags
    from simulators.dagrunner.state import AirflowState
    from simulators.dagrunner.variables import connected

    try:
        with _as_airflow(source.file), connected(AirflowState()):
            dags = import_dags(source.file.absolute())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a DAG file raises is its import error
        return Imported(None, [_import_error(source, error)])
    if not dags:
        said = "the file makes no DAG"
        hint = "dag = DAG(...) at the top level; Airflow reads only files that say both 'dag' and 'airflow'"
        return Imported(dags, [source.finding("LUTE003", 1, said, hint)])
    findings: list[Finding] = []
    for dag in dags.values():
        try:
            check_simulated(dag)
        except NotSimulatedError as error:
            hint = "leave it out, or try the workflow by dag.test()"
            findings.append(source.finding("LUTE004", dag_line(source, dag.dag_id), error.what, hint))
    return Imported(dags, findings)


@contextlib.contextmanager
def _as_airflow(file: Path) -> Iterator[None]:
    folder = str(file.absolute().parent)
    before = list(sys.path)
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        if folder not in sys.path:
            sys.path.append(folder)
        try:
            yield
        finally:
            sys.path[:] = before


def _import_error(source: Source, error: BaseException) -> Finding:
    own = str(source.file.absolute())
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == own and frame.lineno]
    said = redact(f"{type(error).__name__}: {error}".partition("\n")[0])
    return source.finding(
        "LUTE002", lines[-1] if lines else 1, said, "what makes this line work where Airflow runs"
    )
