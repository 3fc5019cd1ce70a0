"""The page: from what the steps of a run left to one HTML file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from lute.io.database import TaskRun
from lute.slurm.records import SlurmJob
from lute.tasks.models.sfx import CompareHKLParameters
from simulators.diffraction.truth import Truth
from simulators.pages.document import document, table
from simulators.serve.results import step_results
from simulators.sfx_report.charts import Chart, events_chart, frame_chart, shells_chart, steps_chart
from simulators.sfx_report.events import Hit, read_hits, read_picture
from simulators.sfx_report.orientation import misorientation_deg
from simulators.sfx_report.shells import read_shells

_NEAR_DEG = 1.0
"""A lattice so near to the true one counts as right."""


@dataclass(frozen=True)
class SfxRun:
    """What is known of a run.

    Attributes:
        title: of the page.
        runs: the Tasks' rows in the results database, by the name of the Task.
        jobs: of the steps, in their order.
        truth: where the run was made by `lute-sim make-run`.
        symmetry: of the true crystal.
    """

    title: str
    runs: Mapping[str, TaskRun]
    jobs: Sequence[SlurmJob]
    truth: Truth | None
    symmetry: str


def report(run: SfxRun) -> str:
    """Return the page; what a step that failed did not leave is left out."""
    charts: dict[str, Chart] = {}
    parts: list[str] = []
    found = run.runs.get("FindPeaksPyAlgos")
    if found and found.status == "COMPLETED":
        parts += _frames(run, found, charts)
    compared = run.runs.get("CompareHKL")
    if compared and compared.status == "COMPLETED":
        charts["shells"] = shells_chart(read_shells(CompareHKLParameters.model_validate(compared.parameters)))
        parts += ["<h2>Figures of merit by resolution</h2>", '<div id="shells"></div>']
    charts["steps"] = steps_chart(run.jobs)
    parts += ["<h2>When each step waited and ran</h2>", '<div id="steps"></div>']
    head = [f"<h1>{escape(run.title)}</h1>", "<h2>Steps</h2>", _steps_table(run)]
    return document(run.title, [*head, *parts], charts)


def misorientations_deg(hits: Sequence[Hit], truth: Truth, symmetry: str) -> dict[int, float]:
    """Return how far each indexed hit that is a true one lies from the truth, in degrees, by event."""
    return {
        hit.event: misorientation_deg(hit.reciprocal, truth.shots[hit.event].reciprocal, symmetry)
        for hit in hits
        if hit.reciprocal is not None and hit.event in truth.shots
    }


def _frames(run: SfxRun, found: TaskRun, charts: dict[str, Chart]) -> Iterator[str]:
    list_file = Path(str(found.payload["out_file"]))
    indexed = run.runs.get("IndexCrystFEL")
    stream = indexed.payload.get("out_file") if indexed else None
    hits = read_hits(list_file, None if stream is None else Path(str(stream)))
    off_deg = misorientations_deg(hits, run.truth, run.symmetry) if run.truth else {}
    events = found.summary.get("events") if isinstance(found.summary, Mapping) else None
    last = max(hit.event for hit in hits) + 1
    charts["events"] = events_chart(hits, events if isinstance(events, int) else last, off_deg)
    yield "<h2>Events</h2>"
    if run.truth:
        yield f"<p>{escape(_against_truth(hits, run.truth, off_deg))}</p>"
    yield '<div id="events"></div>'
    best = max(range(len(hits)), key=lambda index: (hits[index].reciprocal is not None, hits[index].peaks))
    charts["frame"] = frame_chart(read_picture(list_file, best), hits[best])
    yield f"<h2>Event {hits[best].event}, the one with most peaks</h2>"
    yield '<div id="frame"></div>'


def _against_truth(hits: Sequence[Hit], truth: Truth, off_deg: Mapping[int, float]) -> str:
    true = {hit.event for hit in hits} & truth.shots.keys()
    right = sum(angle <= _NEAR_DEG for angle in off_deg.values())
    text = (
        f"Against the truth: {len(true)} of {len(truth.shots)} hits found, {len(hits) - len(true)} false; "
        f"{right} of {len(truth.shots)} indexed within {_NEAR_DEG:g}°"
    )
    return f"{text}, median {np.median(list(off_deg.values())):.2f}°." if off_deg else f"{text}."


def _steps_table(run: SfxRun) -> str:
    results = step_results(run.runs)
    rows = [(job.name, job.job_id, str(job.state), results.get(job.name, "")) for job in run.jobs]
    return table(("step", "Slurm job", "state", "result"), rows)
