"""Runs one batch script, as slurmstepd does: `python3 -I -S stepd.py FOLDER`.

Alone in its kind: it imports nothing of the project, because every job starts one, and it outlives the
controller, so that a controller that is killed and started again finds how its jobs ended.

FOLDER holds `job.json` (script, arguments, environment, working directory, files). This program writes
`stepd`, its own process id, and does nothing if that is there; `pid`, that of the script; and `end`:
`EXIT_CODE SIGNAL` or `launch_failed`, once it is over.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def write(folder: str, name: str, text: str) -> None:
    """Write a file of FOLDER, whole or not at all; nobody wants it if FOLDER is gone."""
    path = f"{folder}/{name}"
    try:
        with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
        os.replace(f"{path}.new", path)  # noqa: PTH105
    except FileNotFoundError:
        pass


def open_files(job: dict[str, object]) -> list[int]:
    """Return descriptors of standard input, output and error output."""
    # appending keeps what Slurm itself writes into the same file
    mode = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if job["append"] else os.O_TRUNC)
    # without O_NONBLOCK a pipe that nobody reads would hang the job; a regular file ignores it
    flags = os.O_NONBLOCK | os.O_CLOEXEC
    files = [os.open(str(job["stdin"]), os.O_RDONLY | flags)]
    files.append(os.open(str(job["stdout"]), mode | flags, 0o666))
    same = job["stderr"] == job["stdout"]
    files.append(files[1] if same else os.open(str(job["stderr"]), mode | flags, 0o666))
    for descriptor in files:
        os.set_blocking(descriptor, True)
    return files


def run_script(job: dict[str, object], files: list[int]) -> None:
    """Become the script; never returns."""
    os.setsid()
    for target, descriptor in enumerate(files):
        os.dup2(descriptor, target)
    os.chdir(str(job["work_dir"]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    script = str(job["script"])
    env = {str(name): str(value) for name, value in job["env"].items()}  # type: ignore[attr-defined]
    arguments = [str(word) for word in job["arguments"]]  # type: ignore[attr-defined]
    try:
        os.execve(script, [script, *arguments], env)  # noqa: S606
    except OSError as error:
        line = f"{job['prefix']}: error: execve(): {script}: {os.strerror(error.errno or 0)}\n"
        os.write(2, line.encode("utf-8", "surrogateescape"))
        os._exit(error.errno or 1)


def claim(folder: str) -> bool:
    """Take the job; False if another one has: two controllers, one after the other, may both have asked."""
    try:
        descriptor = os.open(f"{folder}/stepd", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    os.write(descriptor, str(os.getpid()).encode())
    os.close(descriptor)
    return True


def main(folder: str) -> int:
    """Run the job of FOLDER to its end."""
    if not claim(folder):
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with open(f"{folder}/job.json", encoding="utf-8") as file:  # noqa: PTH123
        job = json.load(file)
    os.umask(job["umask"])
    try:
        os.stat(job["work_dir"] + "/.")  # noqa: PTH116
        files = open_files(job)
    except (OSError, ValueError):
        write(folder, "end", "launch_failed")
        return 0
    child = os.fork()
    if child == 0:
        try:
            run_script(job, files)
        finally:
            os._exit(1)
    write(folder, "pid", str(child))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        write(folder, "end", f"0 {os.WTERMSIG(status)}")
    else:
        write(folder, "end", f"{os.WEXITSTATUS(status)} 0")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
