"""All checks on one file."""

import ast
from datetime import datetime
from pathlib import Path

from simulators.lint.configuration import check_configuration
from simulators.lint.credentials import check_credentials
from simulators.lint.dag_calls import check_dag_calls
from simulators.lint.dags import check_workflow
from simulators.lint.finding import Finding
from simulators.lint.import_time import check_import_time
from simulators.lint.importing import Imported, import_file
from simulators.lint.old_imports import check_imports
from simulators.lint.source import Source, read_source
from simulators.lint.step_calls import check_step_calls
from simulators.lint.workflow import workflows_by_import, workflows_by_text

_CALLS = (check_imports, check_dag_calls, check_step_calls, check_import_time, check_credentials)


def lint_file(
    file: Path, *, now: datetime, static: bool = False, config: Path | None = None
) -> list[Finding]:
    """Return what is to be said of a DAG file, in the order of its lines.

    Args:
        now: the time that start dates are compared with.
        static: never run the file; what only running it tells is not found.
        config: a configuration that the workflow's Tasks are to find their parameters in.
    """
    source = read_source(file)
    if isinstance(source, Finding):
        return [source]
    try:
        found = [finding for check in _CALLS for finding in check(source)]
    except RecursionError:
        return [source.finding("LUTE001", 1, "nested too deeply to be read", "give a DAG file")]
    workflows = workflows_by_text(source)
    moving = any(finding.code == "LUTE207" for finding in found)
    exits = any(finding.code == "LUTE503" for finding in found)
    by_text = [
        finding for workflow in workflows for finding in check_workflow(source, workflow, workflows, now)
    ]
    imported = Imported(None) if static or exits else import_file(source)
    if imported.dags is not None:
        workflows = workflows_by_import(source, imported.dags)
        found += [
            finding for workflow in workflows for finding in check_workflow(source, workflow, workflows, now)
        ]
    else:
        found += by_text
    found += [finding for finding in imported.findings if not _is_explained(finding, found, source)]
    if imported.dags is None and not workflows and not imported.findings:
        found.append(source.finding("LUTE003", 1, "no DAG is made in this file", "dag = DAG(...)"))
    if config is not None:
        found += [finding for workflow in workflows for finding in check_configuration(config, workflow)]
    # A start date that moves is later than `now` by the time it takes to get there.
    found = [finding for finding in found if not (moving and finding.code == "LUTE206")]
    kept = dict.fromkeys(finding for finding in found if not _is_silenced(finding, source))
    return sorted(kept, key=lambda finding: (finding.file != str(file), finding.line, finding.code))


def _is_explained(error: Finding, found: list[Finding], source: Source) -> bool:
    """True for an import error of a statement of which a finding says more."""
    if error.code != "LUTE002":
        return False
    for node in source.nodes:
        if isinstance(node, ast.stmt) and node.lineno <= error.line <= (node.end_lineno or node.lineno):
            inside = not isinstance(
                node, ast.If | ast.With | ast.For | ast.Try | ast.FunctionDef | ast.ClassDef
            )
            lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if inside and any(finding.line in lines for finding in found):
                return True
    return False


def _is_silenced(finding: Finding, source: Source) -> bool:
    codes = source.silenced.get(finding.line) if finding.file == str(source.file) else None
    return codes is not None and (not codes or finding.code in codes)
