"""How fast the fake Slurm's commands answer as processes: many `sbatch` in a row, and a long `squeue`."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from lute.errors import LuteError
from lute.seams import Runtime
from simulators.slurm.client import ask
from simulators.slurm.daemon import BIN

_START_LIMIT_S = 30.0
_DRAIN_LIMIT_S = 300.0
_POLL_S = 0.05


def run_served(env: Mapping[str, str], submits: int = 500, queued: int = 10_000) -> dict[str, object]:
    """Submit `submits` jobs one after the other, wait for them, then list `queued` waiting ones.

    Args:
        env: environment of this process.

    Returns:
        the figures, ready for JSON: `sbatch_per_s`, `lost`, `double`, `squeue_s`, and how many jobs each
        counts.

    Raises:
        LuteError: the controller does not come up, or the jobs do not end.
    """
    runtime, folder = Runtime(), Path(tempfile.mkdtemp(prefix="lute-bench-"))
    socket_path, work = folder / "slurm.sock", folder / "w"
    work.mkdir()
    path = f"{BIN}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    job_env = dict(env) | {"PATH": path, "LUTE_SIM_SLURM_SOCKET": str(socket_path)}
    argv = [sys.executable, "-m", "simulators.slurm.daemon", "--socket", str(socket_path)]
    daemon = runtime.commands.spawn([*argv, "--state-dir", str(folder / "state")], env=env)
    try:
        _until(runtime, socket_path.exists, _START_LIMIT_S, "the controller does not start")
        start_s = runtime.clock.monotonic()
        ids = [
            runtime.commands.run(
                ["sbatch", "--parsable", "--wrap", f"echo ran >>{number}.ran"],
                timeout_s=60,
                env=job_env,
                cwd=work,
            ).stdout
            for number in range(submits)
        ]
        sbatch_s = runtime.clock.monotonic() - start_s
        squeue = ["squeue", "-h", "-o", "%i"]
        _until(
            runtime,
            lambda: not runtime.commands.run(squeue, timeout_s=60, env=job_env).stdout,
            _DRAIN_LIMIT_S,
            "the jobs do not end",
        )
        runs = [len(file.read_text().splitlines()) for file in work.glob("*.ran")]
        for _ in range(queued):
            request = {"argv": ["sbatch", "--hold", "--wrap=true"], "env": {}, "cwd": str(work)}
            ask(request, str(socket_path), 1.0)
        start_s = runtime.clock.monotonic()
        listed = runtime.commands.run(["squeue", "-h"], timeout_s=60, env=job_env).stdout.count("\n")
        squeue_s = runtime.clock.monotonic() - start_s
    finally:
        daemon.terminate()
        daemon.wait(_DRAIN_LIMIT_S)
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "bench": "served",
        "sbatch": submits,
        "sbatch_per_s": round(submits / sbatch_s, 1),
        "lost": submits - len(runs) + submits - len(set(ids)),
        "double": sum(count - 1 for count in runs),
        "squeue_jobs": listed,
        "squeue_s": round(squeue_s, 3),
    }


def _until(runtime: Runtime, condition: Callable[[], bool], limit_s: float, otherwise: str) -> None:
    deadline_s = runtime.clock.monotonic() + limit_s
    while not condition():
        if runtime.clock.monotonic() > deadline_s:
            raise LuteError(otherwise, next_step="run it again on a less busy computer")
        runtime.clock.sleep(_POLL_S)
