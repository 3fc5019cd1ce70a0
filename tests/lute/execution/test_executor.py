import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lute.errors import ConfigError, LuteError
from tests.lute.execution.runs import Runs, is_alive


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} does not appear"
        time.sleep(0.02)


def rows(runs: Runs) -> list[tuple[object, ...]]:
    with sqlite3.connect(runs.work_dir / "lute.db") as connection:
        return connection.execute("SELECT task, managed_task, status, return_code FROM task_runs").fetchall()


def test_success(runs: Runs) -> None:
    outcome = runs.task("Test", "Test: {sleep_s: 0, str_var: ü, num_messages: 2}")
    assert outcome.exit_code == 0
    assert outcome.verdict["status"] == "COMPLETED"
    assert outcome.verdict["return_code"] == 0
    assert outcome.message == "test finished: ü"
    assert (outcome.verdict["task"], outcome.verdict["managed_task"]) == ("Test", "Tester")
    assert outcome.statuses == [("Test", "RUNNING"), ("Test", "COMPLETED")]
    assert b"test message 2\n" in outcome.stdout
    assert rows(runs) == [("Test", "Tester", "COMPLETED", 0)]


def test_failure_by_exception(runs: Runs) -> None:
    outcome = runs.task("Test", "Test: {sleep_s: 0, throw_error: true}")
    assert outcome.exit_code == 1
    assert outcome.verdict["status"] == "FAILED"
    assert "failing on purpose" in outcome.message
    assert outcome.statuses[-1] == ("Test", "FAILED")
    assert rows(runs) == [("Test", "Tester", "FAILED", 1)]


def test_a_bug_in_a_task_shows_its_traceback(runs: Runs) -> None:
    (runs.work_dir / "in.txt").write_text("not a number\n")
    outcome = runs.task("TestReadOutput", "TestReadOutput: {in_file: in.txt}")
    assert outcome.exit_code == 1
    assert outcome.message.startswith("ValueError: invalid literal for int()")
    assert b"Traceback" in outcome.stdout


def test_a_file_flows_to_the_next_task(runs: Runs) -> None:
    assert runs.task("TestWriteOutput", "TestWriteOutput: {outfile_name: 'ö o.txt'}").exit_code == 0
    assert runs.task("TestReadOutput").message == "values 100, sum 4950"


def test_arrays(runs: Runs) -> None:
    outcome = runs.task("TestSocket", "TestSocket: {array_size: 1000000, num_arrays: 5}")
    assert outcome.exit_code == 0
    assert outcome.stdout.count(b"LUTE: received 'array ") == 5


def test_wrong_parameters_start_nothing(runs: Runs) -> None:
    executor = runs.executor("Test", "Test: {flaot_var: 1}")
    with pytest.raises(ConfigError, match="did you mean float_var"):
        executor.run()
    assert runs.statuses == []


def test_a_working_directory_that_cannot_be_made(runs: Runs) -> None:
    file = runs.work_dir / "file"
    file.write_text("")
    with pytest.raises(ConfigError, match="Not a directory"):
        runs.executor("Test", work_dir=file / "sub").run()
    with pytest.raises(ConfigError, match="No such file"):
        runs.executor("Test", work_dir=runs.work_dir / "a" / "b").run()
    assert runs.finish(runs.executor("Test", work_dir=runs.work_dir / "a")).exit_code == 0


# Third-party programs


def test_exit_code(runs: Runs) -> None:
    outcome = runs.shell("echo out; echo err >&2; exit 42")
    assert (outcome.exit_code, outcome.verdict["return_code"]) == (1, 42)
    assert outcome.message == "TestBinary ended with exit code 42: err"
    assert b"\nout\nerr\nLUTE-VERDICT" in outcome.stdout


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (128, "128"),
        (137, "137 (SIGKILL: out of memory?)"),
        (139, "139 (SIGSEGV)"),
        (165, "165 (signal 37)"),
        (193, "193"),
        (255, "255"),
    ],
)
def test_a_signal_that_a_shell_passed_on(runs: Runs, code: int, says: str) -> None:
    assert runs.shell(f"exit {code}").message == f"TestBinary ended with exit code {says}"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (":", ""),
        ("echo a; printf 'Error: no disk\\n  next: buy one\\n\\n'", ": Error: no disk next: buy one"),
        (r"printf '10 %%\r20 %%\r\x1b[1mbad\x00 \xff\x1b[0m'", ": bad  \ufffd"),
        ("head -c 9000000 /dev/zero | tr '\\0' x; echo; echo why", ": why"),
        ("head -c 5000 /dev/zero | tr '\\0' x", ": " + 400 * "x"),
    ],
)
def test_a_failed_program_has_the_last_word(runs: Runs, script: str, says: str) -> None:
    outcome = runs.shell(f"{script}; exit 3")
    assert outcome.message == f"TestBinary ended with exit code 3{says}"


def test_output_is_unaltered_and_the_verdict_has_its_own_line(runs: Runs) -> None:
    outcome = runs.shell(r"printf 'a\x00\xff\r\nno end of line'")
    assert outcome.exit_code == 0
    assert b"a\x00\xff\r\nno end of line\nLUTE-VERDICT" in outcome.stdout


def test_a_flood(runs: Runs) -> None:
    outcome = runs.shell("head -c 60000000 /dev/zero; head -c 60000000 /dev/zero >&2")
    assert outcome.exit_code == 0
    assert outcome.stdout.count(b"\x00") == 120_000_000


def test_death_by_signal(runs: Runs) -> None:
    outcome = runs.shell("kill -SEGV $$")
    assert outcome.verdict["return_code"] == -signal.SIGSEGV
    assert outcome.message == "TestBinary was ended by SIGSEGV"


def test_death_by_a_signal_without_a_name(runs: Runs) -> None:
    assert runs.shell("kill -40 $$").message == "TestBinary was ended by signal 40"


def test_exit_codes_count_even_where_children_are_ignored(runs: Runs) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert runs.shell("exit 5").verdict["return_code"] == 5
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_no_process_survives_a_bug_in_here(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(*_: object) -> bool:
        wait_for(runs.work_dir / "pid")
        raise RuntimeError("a bug")

    monkeypatch.setattr("lute.execution.inbox.Inbox.receive", receive)
    with pytest.raises(RuntimeError, match="a bug"):
        runs.shell("echo $$ > p; mv p pid; sleep 60")
    assert not is_alive(int((runs.work_dir / "pid").read_text()))


def test_a_program_that_is_not_there(runs: Runs) -> None:
    with pytest.raises(ConfigError, match=r"'TestBinary\.executable': there is no directory /no"):
        runs.task("TestBinary", "TestBinary: {executable: /no/such}")
    assert runs.statuses == []


def test_an_output_that_was_not_written(runs: Runs) -> None:
    (runs.work_dir / "x").write_text("")
    outcome = runs.task(
        "MergePartialator", "MergePartialator: {executable: 'true', in_file: x, symmetry: mmm}"
    )
    assert outcome.exit_code == 1
    assert "did not write 'out_file'" in outcome.message


def test_nothing_of_lute_is_inherited(runs: Runs) -> None:
    outcome = runs.shell("ls /proc/self/fd; env", env={"PATH": os.environ["PATH"], "MINE": "x y"})
    assert b"0\n1\n2\n3\n" in outcome.stdout
    assert b"\n4\n" not in outcome.stdout
    assert b"\nMINE=x y\n" in outcome.stdout
    assert b"PYTHON" not in outcome.stdout


# Stopping


def test_time_limit(runs: Runs) -> None:
    outcome = runs.shell("sleep 60 & sleep 60", timeout_s=0.3)
    assert outcome.elapsed_s < 4
    assert outcome.verdict["status"] == "FAILED"
    assert "stopped after the 0.3 s of 'task_timeout'" in outcome.message


@pytest.fixture
def heeded(number: signal.Signals) -> Iterator[None]:
    """Heed a signal that whoever runs the tests ignores (nohup): the Executor would ignore it, too."""
    inherited = signal.signal(number, signal.SIG_DFL)
    yield
    signal.signal(number, inherited)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_cancelling(runs: Runs, number: signal.Signals) -> None:
    def cancel() -> None:
        wait_for(runs.work_dir / "ready")
        os.kill(os.getpid(), number)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    before = signal.getsignal(number)
    outcome = runs.shell("trap 'echo cleaning up; exit 3' TERM; sleep 60 & touch ready; wait")
    canceller.join()
    assert outcome.exit_code == 1
    assert outcome.verdict["status"] == "CANCELLED"
    assert outcome.verdict["return_code"] == 3
    assert outcome.message == f"TestBinary was stopped by {number.name}"
    assert b"cleaning up\n" in outcome.stdout
    assert outcome.statuses[-1] == ("TestBinary", "CANCELLED")
    assert rows(runs) == [("TestBinary", "TestBinaryer", "CANCELLED", 3)]
    assert signal.getsignal(number) is before


def test_leftovers_are_ended(runs: Runs) -> None:
    outcome = runs.shell(
        "(trap '' TERM; echo $BASHPID > pid1; sleep 60) & sleep 60 & echo $! > pid2; sleep 0.2"
    )
    assert outcome.exit_code == 0
    assert outcome.elapsed_s < 5
    assert b"process(es) that TestBinary left behind" in outcome.stdout
    for name in ("pid1", "pid2"):
        assert not is_alive(int((runs.work_dir / name).read_text()))


def test_a_detached_process_that_keeps_the_output_open_is_ended(runs: Runs) -> None:
    outcome = runs.shell(
        "setsid bash -c 'echo $$ > pid; while :; do echo noise; sleep 0.01; done' & sleep 0.3; echo last"
    )
    assert outcome.exit_code == 0
    assert b"last\n" in outcome.stdout
    assert not is_alive(int((runs.work_dir / "pid").read_text()))


# First-party Tasks that misbehave


def test_a_result_by_hand(runs: Runs) -> None:
    outcome = runs.python("done()")
    assert (outcome.exit_code, outcome.message) == (0, "all well")


def test_no_result(runs: Runs) -> None:
    outcome = runs.python("sys.exit(0)")
    assert outcome.exit_code == 1
    assert outcome.message == "Test ended without a result"


def test_a_result_and_then_a_crash(runs: Runs) -> None:
    outcome = runs.python("done(); os.kill(os.getpid(), signal.SIGABRT)")
    assert (outcome.exit_code, outcome.message) == (1, "Test was ended by SIGABRT")


def test_what_is_no_message(runs: Runs) -> None:
    outcome = runs.python("os.write(job.pipe, b'rubbish\\n' * 100000); done()")
    assert outcome.exit_code == 1
    assert "sent what is no message" in outcome.message


def test_half_a_frame(runs: Runs) -> None:
    outcome = runs.python("to._connected().sendall(b'\\0\\0\\0\\5'); done()")
    assert outcome.exit_code == 1
    assert "breaks off" in outcome.message


def test_no_message_is_lost_in_a_flood_of_everything(runs: Runs) -> None:
    outcome = runs.python(
        """
import numpy as np, threading
def talk():
    for number in range(2000): to.log(f"message {number}")
def arrays():
    for number in range(20): to.send_array(f"array {number}", np.zeros(100000))
def noise():
    for number in range(2000): os.write(1, b"n" * 9999 + b"\\n")
threads = [threading.Thread(target=f) for f in (talk, arrays, noise)]
[t.start() for t in threads]
[t.join() for t in threads]
done()
"""
    )
    assert outcome.exit_code == 0
    lines = outcome.stdout.splitlines()
    assert [line for line in lines if line.startswith(b"message ")] == [
        b"message %d" % n for n in range(2000)
    ]
    assert sum(line.startswith(b"LUTE: received 'array") for line in lines) == 20
    assert sum(line.count(b"n") for line in lines if set(line) == {ord("n")}) == 2000 * 9999


def test_a_forked_child_that_keeps_the_channels_open(runs: Runs) -> None:
    outcome = runs.python(
        "to._connected()\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(5)\n    os._exit(0)\ndone()"
    )
    assert outcome.exit_code == 0
    assert outcome.elapsed_s < 4


def test_a_process_that_cannot_be_started(runs: Runs) -> None:
    executor = runs.executor("Test")
    executor.command = lambda job: ["/no/such/python", str(job)]  # type: ignore[method-assign]
    outcome = runs.finish(executor)
    assert outcome.exit_code == 1
    assert "Test cannot be run: [Errno 2] No such file" in outcome.message


# What belongs to the Executor


def test_nothing_stays_behind(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / ("long" * 40)
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    descriptors = len(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    runs.task("TestSocket")
    runs.python("sys.exit(0)")
    assert list(scratch.iterdir()) == []
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) - descriptors <= 2  # the stdout files of the two runs


def test_the_environment_is_a_value_of_each_executor(runs: Runs) -> None:
    given = {"A": "1"}
    first, second = runs.executor("Test", env=given), runs.executor("Test", env=given)
    first.environment["LUTE_TEST_ONLY"] = "x"
    assert second.environment == given == {"A": "1"}
    assert "LUTE_TEST_ONLY" not in os.environ


def test_a_hook_that_fails_changes_nothing(runs: Runs) -> None:
    executor = runs.executor("Test", "Test: {sleep_s: 0}")

    def hook(task: str, status: str) -> None:
        raise RuntimeError(f"no counters for {status}")

    executor._on_status = hook
    outcome = runs.finish(executor)
    assert outcome.exit_code == 0
    assert b"no counters for COMPLETED" in outcome.stdout


def test_a_result_that_cannot_be_stored_is_no_success(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def store(*_: object) -> None:
        raise LuteError("the disk is full", next_step="free space")

    monkeypatch.setattr("lute.io.database.Database.store", store)
    outcome = runs.task("Test", "Test: {sleep_s: 0}")
    assert outcome.exit_code == 1
    assert outcome.message == "completed, but its result is not stored: the disk is full"
    assert b"next: free space" in outcome.stdout


def test_a_reader_that_stalls_does_not_stop_the_clock(runs: Runs) -> None:
    reading, writing = os.pipe()
    runs.stdout = writing

    def read_late() -> None:
        # The pipe is full long before; the Task is to be gone before anybody reads.
        wait_for(runs.work_dir / "pid")
        pid = int((runs.work_dir / "pid").read_text())
        while is_alive(pid):
            time.sleep(0.05)
        while os.read(reading, 1 << 20):
            pass

    reader = threading.Thread(target=read_late)
    reader.start()
    executor = runs.shell_executor("echo $$ > p; mv p pid; exec cat /dev/zero", timeout_s=600)
    assert runs.end_at(runs.work_dir / "pid", executor).run() == 1
    os.close(writing)
    reader.join()
    os.close(reading)


def test_a_reader_that_stalls_is_not_waited_for_when_a_task_talks(runs: Runs) -> None:
    reading, writing = os.pipe()
    runs.stdout = writing

    def read_late() -> None:
        wait_for(runs.work_dir / "told")
        while os.read(reading, 1 << 20):
            pass

    reader = threading.Thread(target=read_late)
    reader.start()
    executor = runs.python_executor(
        "[to.log('x' * 1000) for _ in range(1000)]; Path('told').write_text(''); done()"
    )
    assert executor.run() == 0
    os.close(writing)
    reader.join()
    os.close(reading)


def test_a_reader_that_has_gone(runs: Runs) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    runs.stdout = writing
    executor = runs.shell_executor("head -c 1000000 /dev/zero; touch finished")
    assert executor.run() == 0
    os.close(writing)
    assert (runs.work_dir / "finished").exists()
