"""Recording a workflow in a served stack of its own."""

import socket
import subprocess  # noqa: TID251 - for the constants of a started process
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from lute.seams import Runtime
from lute.settings import load_settings
from simulators.recording.model import LauncherEnd
from simulators.recording.proxy import proxy
from simulators.recording.scrub import Scrubber
from simulators.recording.writer import Recorder
from simulators.serve.airflow import installed_version
from simulators.serve.demo import SLURM_ARGUMENTS
from simulators.serve.stack import PROJECT_DIR, ServedStack


def record_workflow(
    output: Path,
    workflow: str,
    config: Path,
    env: Mapping[str, str],
    *,
    airflow: int,
    real_slurm: bool,
    say: Callable[[str], None],
) -> int:
    """Bring up a served stack, launch a workflow in it, and record what the JID and Airflow are asked.

    The launcher runs here and not in a Slurm job, so that its output is seen as it comes; nothing that it
    asks depends on that.

    Args:
        output: the file of the recording.
        airflow: 2 or 3, which must be the installed one.

    Returns:
        the launcher's exit code.

    Raises:
        ConfigError: the file cannot be written.
        StackError: the stack did not come up.
    """
    runtime = Runtime()
    scrub = Scrubber()
    scrub.stand_in(str(PROJECT_DIR), "/lute")
    scrub.stand_in(socket.gethostname(), "host")
    recorder = Recorder(
        output,
        runtime.clock,
        scrub,
        airflow=".".join(str(part) for part in installed_version()),
        workflow=workflow,
        slurm_args=SLURM_ARGUMENTS,
    )
    with ExitStack() as parts:
        parts.callback(recorder.close)
        stack = parts.enter_context(
            ServedStack(
                env,
                airflow=airflow,
                real_slurm=real_slurm,
                jid_front=lambda url: parts.enter_context(proxy("jid", url, recorder)),
                say=say,
            )
        )
        scrub.stand_in(str(Path(stack.info.work_dir).parent), "/stack")
        front = parts.enter_context(proxy("airflow", stack.info.airflow_url, recorder))
        launch_env = stack.info.applied_to(env)
        settings = load_settings(launch_env)
        scrub.learn(
            launch_env["Authorization"],
            settings.airflow.password_file.read_text(encoding="utf-8").strip(),
        )
        site = _site_through(front, stack, Path(launch_env["LUTE_SITE"]))
        script = PROJECT_DIR / "scripts" / "launch_airflow.py"
        argv = [sys.executable, str(script), "-c", str(config), "-w", workflow, *SLURM_ARGUMENTS]
        say(f"launching {workflow}; recording into {output}")
        end = _run(argv, launch_env | {"LUTE_SITE": str(site)}, Path(stack.info.work_dir), runtime)
        recorder.close(end)
    say(f"recorded {recorder.count} exchanges; the launcher's exit code is {end.exit_code}")
    return end.exit_code


def _site_through(front: str, stack: ServedStack, site: Path) -> Path:
    """Write the site file whose Airflow is the proxy; the stack itself goes on asking Airflow directly."""
    through = site.with_name("recorded.toml")
    through.write_text(
        site.read_text(encoding="utf-8").replace(stack.info.airflow_url, front), encoding="utf-8"
    )
    return through


def _run(argv: list[str], env: Mapping[str, str], cwd: Path, runtime: Runtime) -> LauncherEnd:
    """Run the launcher and show what it prints."""
    process = runtime.commands.spawn(
        argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    printed = []
    for line in process.stdout or ():
        text = line.decode(errors="replace")
        printed.append(text)
        sys.stdout.write(text)
        sys.stdout.flush()
    return LauncherEnd(exit_code=process.wait(), output="".join(printed))
