"""However a Task ends, and whatever it leaves behind: nothing of it stays, and the verdict says how it was.

Real processes; the time limit comes when the Task has got where the test wants it, not after some time.
"""

import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from lute.execution import family, supervision
from lute.execution.executor import Executor
from tests.lute.execution.runs import Outcome, Runs, is_alive

READY = "echo $BASHPID >> pids; mv pids ready; "
"""For shell scripts whose last process writes its id: the time limit comes now."""
STOP = (
    "echo $$ > pids; (until grep -q 'State:.T' /proc/$$/status; do sleep 0.01; done; "
    + READY
    + ") & kill -STOP $$; "
)
"""The script stops itself; the time limit comes then."""
DETACH = """
def detached(work):
    # A daemon: the child of a child that has ended, in a session of its own, with all that was inherited.
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.setsid()
        if (grandchild := os.fork()) == 0:
            work()
            os._exit(0)
        os.write(writing, f"{grandchild}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    return int(os.read(reading, 20))
"""


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before, "a living process, or a zombie"


def time_out(runs: Runs, executor: Executor) -> Outcome:
    """Run a Task that has 600 s, which are over when the file `ready` is there."""
    return runs.finish(runs.end_at(runs.work_dir / "ready", executor))


def pids(runs: Runs) -> list[int]:
    return [int(word) for word in (runs.work_dir / "ready").read_text().split()]


# Stopping


@pytest.mark.parametrize(
    ("script", "is_forced"),
    [
        ("echo $$ > pids; setsid --fork bash -c '" + READY + "sleep 600'; sleep 600", False),
        ("echo $$ > pids; (setsid bash -c '" + READY + "sleep 600' & ); exec sleep 600", False),
        ("trap '' TERM; echo $$ > pids; setsid --fork bash -c '" + READY + "sleep 600'; sleep 600", True),
        (STOP + "sleep 600", False),
        ("trap '' TERM; " + STOP + "sleep 600", True),
    ],
    ids=["child in a new session", "orphan in a new session", "deaf", "stopped", "stopped and deaf"],
)
def test_the_time_limit_stops_a_task_with_all_it_started(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, script: str, is_forced: bool
) -> None:
    monkeypatch.setattr(supervision, "STOP_GRACE_S", 0.2)
    outcome = time_out(runs, runs.shell_executor(script, timeout_s=600))
    assert outcome.exit_code == 1
    assert outcome.verdict["status"] == "FAILED"
    assert "TestBinary was stopped after the 600 s of 'task_timeout'" in outcome.message
    assert ("killed because it was still running" in outcome.message) is is_forced
    assert outcome.verdict["return_code"] == (-signal.SIGKILL if is_forced else -signal.SIGTERM)
    assert pids(runs)
    assert not any(map(is_alive, pids(runs)))


def test_a_stopped_task_may_tidy_up(runs: Runs) -> None:
    script = "trap 'echo tidied; exit 3' TERM; " + STOP + "sleep 600"
    outcome = time_out(runs, runs.shell_executor(script, timeout_s=600))
    assert b"\ntidied\n" in outcome.stdout
    assert outcome.verdict["return_code"] == 3
    assert "killed" not in outcome.message


def test_a_task_that_starts_processes_as_fast_as_it_can(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "STOP_GRACE_S", 0.2)
    script = "trap '' TERM; while :; do (setsid true &); [ -e ready ] || " + READY + "done"
    outcome = time_out(runs, runs.shell_executor(script, timeout_s=600))
    assert "stopped after the 600 s of 'task_timeout' and killed" in outcome.message


# Dying


@pytest.mark.parametrize(
    ("death", "name", "cause"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL", ": out of memory?"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "SIGTERM", ""),
        ("os.abort()", "SIGABRT", ""),
        ("ctypes.string_at(0)", "SIGSEGV", ""),
        (
            "f = open('f', 'wb+'); f.truncate(4096); m = mmap.mmap(f.fileno(), 4096); f.truncate(0); m[0]",
            "SIGBUS",
            "",
        ),
    ],
)
def test_death_by_a_signal_is_told(runs: Runs, death: str, name: str, cause: str) -> None:
    before = "import ctypes, mmap, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    outcome = runs.python(before + "to.log('x'); os.write(job.pipe, b'half a mess'); " + death)
    assert outcome.exit_code == 1
    assert outcome.verdict["status"] == "FAILED"
    assert outcome.verdict["return_code"] == -signal.Signals[name]
    assert outcome.message == f"Test was ended by {name}{cause}"
    assert b"\nx\n" in outcome.stdout


# Leaving processes behind


def test_what_a_task_leaves_is_ended_and_counted(runs: Runs) -> None:
    outcome = runs.python(
        DETACH
        + """
to._connected()
left = [detached(lambda: time.sleep(600))]
for _ in range(2):
    left.append(os.fork())
    if left[-1] == 0:
        time.sleep(600)
os.kill(left[-1], signal.SIGSTOP)
Path("ready").write_text(" ".join(map(str, left)))
done()
"""
    )
    assert (outcome.exit_code, outcome.message) == (0, "all well")
    assert b"LUTE: ended 3 process(es) that Test left behind\n" in outcome.stdout
    assert len(pids(runs)) == 3
    assert not any(map(is_alive, pids(runs)))


def test_a_process_whose_first_thread_has_ended_is_ended(runs: Runs) -> None:
    outcome = runs.python(
        """
import ctypes, threading
if (child := os.fork()) == 0:
    threading.Thread(target=time.sleep, args=(600,)).start()
    ctypes.CDLL(None).pthread_exit(None)
while "Z" not in Path(f"/proc/{child}/stat").read_text():
    time.sleep(0.01)
done()
"""
    )
    assert b"LUTE: ended 1 process(es) that Test left behind\n" in outcome.stdout


def test_daemons_that_end_are_reaped_while_the_task_runs(runs: Runs) -> None:
    outcome = runs.python(
        DETACH
        + """
daemons = [detached(lambda: None) for _ in range(50)]
end = time.monotonic() + 20
while any(Path(f"/proc/{pid}").exists() for pid in daemons):
    assert time.monotonic() < end, "there are zombies"
    time.sleep(0.02)
done()
"""
    )
    assert outcome.exit_code == 0
    assert b"left behind" not in outcome.stdout


def test_one_that_cannot_be_ended_is_told(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(family, "KILL_LIMIT_S", 0.1)
    monkeypatch.setattr(supervision, "LEFTOVER_GRACE_S", 0)
    with monkeypatch.context() as patched:
        patched.setattr("lute.execution.family.os.kill", refuse)
        outcome = runs.shell("sleep 600 & echo $! > ready")
    assert outcome.exit_code == 0
    assert b"LUTE: 1 process(es) of TestBinary cannot be ended\n" in outcome.stdout
    assert b"left behind" not in outcome.stdout
    for pid in pids(runs):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_others_are_left_alone(runs: Runs) -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as other:
        runs.shell("sleep 600 & setsid --fork sleep 600")
        assert other.poll() is None
        other.kill()


def test_a_bug_in_here_leaves_no_process(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("lute.execution.output.OutputPump.start", start)
    with pytest.raises(RuntimeError, match="a bug"):
        runs.shell("setsid --fork sleep 600; sleep 600")
