"""Reports of a run for programs: JSON, and XML in the form of JUnit."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from lute.airflow_api.models import RunState, TaskState
from lute.launch.causes import exit_code, likely_cause
from lute.launch.steps import Step
from lute.launch.watch import RunRef

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_report(file: Path, workflow: str, run: RunRef, state: RunState, steps: Sequence[Step]) -> None:
    """Write a report, in the form that the file's name asks for.

    Raises:
        OSError: it cannot be written.
    """
    make = _json if file.suffix == ".json" else _xml
    file.write_text(make(workflow, run, state, steps), encoding="utf-8")


def _json(workflow: str, run: RunRef, state: RunState, steps: Sequence[Step]) -> str:
    rows = [
        {
            "step": step.label,
            "state": str(step.state),
            "tries": step.instance.try_number,
            "slurm_job": step.job.tool_id or None,
            "slurm_state": None if step.slurm is None else step.slurm.state,
            "exit_code": exit_code(step) or None,
            "wait_s": step.wait_s,
            "run_s": step.run_s,
            "start": None if step.instance.started is None else step.instance.started.isoformat(),
            "end": None if step.instance.ended is None else step.instance.ended.isoformat(),
            "log_file": step.job.log_file_path or None,
            "likely_cause": likely_cause(step) or None,
        }
        for step in steps
    ]
    report = {"workflow": workflow, "dag_id": run.dag_id, "run_id": run.run_id, "state": str(state)}
    return json.dumps({**report, "steps": rows}, indent=2) + "\n"


def _xml(workflow: str, run: RunRef, state: RunState, steps: Sequence[Step]) -> str:
    failed = sum(step.state is TaskState.FAILED for step in steps)
    left_out = sum(step.state is not TaskState.FAILED and _is_left_out(step) for step in steps)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f"<testsuite name={_quoted(workflow)} id={_quoted(run.run_id)} tests={_quoted(len(steps))}"
        f' failures={_quoted(failed)} errors="0" skipped={_quoted(left_out)}>',
        f'  <properties><property name="state" value={_quoted(state)}/></properties>',
    ]
    for step in steps:
        head = f"  <testcase classname={_quoted(workflow)} name={_quoted(step.label)}"
        head += f' time="{step.run_s or 0:.3f}"'
        if step.state is TaskState.FAILED:
            cause = likely_cause(step) or "failed"
            text = escape(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", step.last_lines))
            lines.append(f"{head}><failure message={_quoted(cause)}>{text}</failure></testcase>")
        elif _is_left_out(step):
            lines.append(f"{head}><skipped message={_quoted(step.state)}/></testcase>")
        else:
            lines.append(f"{head}/>")
    return "\n".join([*lines, "</testsuite>", ""])


def _is_left_out(step: Step) -> bool:
    return step.state is not TaskState.SUCCESS


def _quoted(value: object) -> str:
    return quoteattr(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)))
