"""What a job's control group tells of memory."""

from pathlib import Path

import pytest

from lute.execution.memory_events import oom_kills

STEP = "system.slice/slurmstepd.scope/job_7/step_batch"


def told(root: Path, cgroup: str | None, files: dict[str, str]) -> int:
    (root / "proc/self").mkdir(parents=True)
    if cgroup is not None:
        (root / "proc/self/cgroup").write_text(cgroup)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return oom_kills(root)


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        (f"0::/{STEP}/user/task_0\n", {f"{STEP}/memory.events": "low 0\noom 1\noom_kill 2\n"}, 2),
        (f"0::/{STEP}/user/task_0\n", {f"{STEP}/memory.events": "low 0\noom_kill 0\n"}, 0),
        (f"0::/{STEP}/user/task_0\n", {"system.slice/memory.events": "oom_kill 5\n"}, 0),
        ("0::/user.slice\n", {"user.slice/memory.events": "oom_kill 1\n"}, 1),
        (
            "11:cpuset:/slurm/x\n4:memory,cpu:/slurm/uid_1/job_7/step_batch/task_0\n",
            {"memory/slurm/uid_1/job_7/step_batch/memory.oom_control": "under_oom 0\noom_kill 1\n"},
            1,
        ),
        ("0::/x\n", {}, 0),
        (None, {}, 0),
        ("", {}, 0),
        ("nonsense\n::\n0::/\n", {}, 0),
        ("0::/x\n", {"x/memory.events": "oom_kill many\n"}, 0),
    ],
)
def test_what_was_killed_is_counted(
    tmp_path: Path, cgroup: str | None, files: dict[str, str], expected: int
) -> None:
    assert told(tmp_path, cgroup, files) == expected


def test_it_can_be_asked_here() -> None:
    assert oom_kills() >= 0
