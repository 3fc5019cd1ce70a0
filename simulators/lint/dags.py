"""Whether the launcher finds a DAG and its runs have steps; and all that is said of the steps."""

from collections.abc import Iterator
from datetime import datetime

from simulators.lint.finding import Finding
from simulators.lint.graph import check_graph
from simulators.lint.source import Source
from simulators.lint.steps import check_steps
from simulators.lint.workflow import Workflow


def check_workflow(
    source: Source, workflow: Workflow, all_workflows: list[Workflow], now: datetime
) -> Iterator[Finding]:
    """Find what is wrong with one DAG of a file.

    Args:
        all_workflows: those of the file.
        now: the time that its start date is compared with.
    """
    dag_id, stem = workflow.dag_id, source.file.stem
    if dag_id is not None and not dag_id.startswith("lute_"):
        instead = 'dag_id=f"lute_{Path(__file__).stem}"'
        yield source.finding("LUTE201", workflow.line, f"no launcher finds the dag_id '{dag_id}'", instead)
    elif dag_id is not None and f"lute_{stem}" not in [other.dag_id for other in all_workflows]:
        said = f"the dag_id is '{dag_id}', but the file is {stem}.py"
        yield source.finding("LUTE202", workflow.line, said, f"lute_{stem}, or {dag_id[5:]}.py for the file")
    if workflow.start_date is not None and workflow.start_date > now.replace(tzinfo=None):
        said = f"start_date {workflow.start_date:%Y-%m-%d} is in the future: until then no step runs"
        instead = "start_date=datetime(2024, 1, 1), or another past date"
        yield source.finding("LUTE206", workflow.line, said, instead)
    yield from check_steps(source, workflow)
    yield from check_graph(source, workflow)
