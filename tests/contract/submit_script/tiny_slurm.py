"""A Slurm of a few lines whose whole state is one JSON file: for both legs, as commands and in process."""

import fcntl
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

NEW: dict[str, Any] = {"jobs": {}, "marks": {}, "calls": [], "sbatch": "", "down": False, "deaf": False}
"""`sbatch` names what goes wrong at the next submission; `deaf`: scancel has no effect."""

UNREACHABLE = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
TROUBLE = {
    "down": ("sbatch: error: Batch job submission failed: Unable to contact slurm controller\n", False),
    "lost": ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n", True),
    "lost before": (
        "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received\n",
        False,
    ),
    "refused": ("sbatch: error: Batch job submission failed: Invalid partition name specified\n", False),
    "busy": ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying.\n", False),
    "accepted": ("sbatch: error: Batch job submission failed: Message receive failure\n", True),
    "busy, lost": (
        "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying.\n"
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n",
        True,
    ),
    "no word": ("", True),
    "killed": ("", True),
    "killed before": ("", False),
}


class Killed(Exception):
    """The script dies while sbatch runs."""


def run(state: dict[str, Any], argv: list[str]) -> tuple[int, str, str]:
    """Run a command; return exit code, stdout and stderr."""
    program = argv[0]
    state["calls"].append(
        [program, *(word for word in argv[1:] if not word.startswith(("--output", "--error")))]
    )
    if program == "sbatch":
        return _sbatch(state, argv)
    if state["down"]:
        return 1, "", UNREACHABLE
    if program == "squeue":
        return 0, "".join(f"{job} {state['marks'][job]}\n" for job in state["jobs"]), ""
    job = argv[-1]
    if job not in state["jobs"]:
        return (
            (1, "", "slurm_load_jobs error: Invalid job id specified\n")
            if program == "scontrol"
            else (0, "", "")
        )
    if program == "scontrol":
        return 0, f"JobId={job} JobName=x JobState={state['jobs'][job]} Reason=None\n", ""
    if not state["deaf"]:
        state["jobs"][job] = "CANCELLED"
    return 0, "", ""


def _sbatch(state: dict[str, Any], argv: list[str]) -> tuple[int, str, str]:
    trouble, state["sbatch"] = state["sbatch"], ""
    said, accepts = TROUBLE.get(trouble, ("", True))
    job = str(len(state["marks"]) + 1)
    if accepts:
        state["jobs"][job] = "RUNNING"
        state["marks"][job] = next(word[10:] for word in argv if word.startswith("--comment="))
    if trouble.startswith("killed"):
        raise Killed
    if trouble == "no word":
        return 0, "", ""
    return (1, "", said) if said else (0, f"Submitted batch job {job} on cluster x\n", "")


def main() -> int:
    """Be the command as which this file was started."""
    file = Path(os.environ["TINY_SLURM"])
    lock = file.with_suffix(".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    state = json.loads(file.read_text())
    killed = False
    try:
        code, stdout, stderr = run(state, [Path(sys.argv[0]).name, *sys.argv[1:]])
    except Killed:
        killed = True
    file.write_text(json.dumps(state))
    if killed:
        os.killpg(0, signal.SIGKILL)  # with the script and its subshells
    sys.stdout.write(stdout)
    sys.stderr.write(stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
