"""The demo of the workflow `pyalgos_sfx`: a run of simulated diffraction before it, a page about it after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lute.io.database import TaskRun
from lute.slurm.records import SlurmJob
from simulators.diffraction.crystal import POINT_GROUP
from simulators.diffraction.made_run import MadeRun, RunOptions
from simulators.diffraction.run import make_run
from simulators.diffraction.truth import read_truth
from simulators.serve.stack import EXPERIMENT, RUN
from simulators.sfx_report.report import SfxRun, report

WORKFLOW = "pyalgos_sfx"


@dataclass(frozen=True)
class SfxDemo:
    """A run to analyse.

    Attributes:
        html_file: for the page.
    """

    made: MadeRun
    html_file: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variable by which the steps find the data."""
        return {"SIT_PSDM_DATA": str(self.made.folder)}

    def write_report(self, jobs: Sequence[SlurmJob], runs: Mapping[str, TaskRun]) -> Path:
        """Write the page and return its file."""
        run = SfxRun(
            title=f"{WORKFLOW}: run {RUN} of {EXPERIMENT}, simulated",
            runs=runs,
            jobs=jobs,
            truth=read_truth(self.made.truth),
            symmetry=POINT_GROUP,
        )
        self.html_file.write_text(report(run), encoding="utf-8")
        return self.html_file


def prepare(folder: Path, html_file: Path) -> SfxDemo:
    """Make a run for the demo.

    Raises:
        OSError: it cannot be written.
    """
    made = make_run(folder, RunOptions(experiment=EXPERIMENT, run=RUN))
    return SfxDemo(made, html_file)
