"""The served fake: real commands, real processes, nothing left behind."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

import pytest

from simulators.slurm import proctable
from simulators.slurm.conf import SlurmConf
from simulators.slurm.job import Job
from simulators.slurm.journal import Journal
from simulators.slurm.request import JobRequest
from simulators.slurm.state import new_cluster
from tests.simulators.slurm.conftest import BIN, ROOT, Served, until
from tests.simulators.slurm.world import ME


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid.strip()}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_job_from_submission_to_its_log(served: Served) -> None:
    code, out, err = served.run(
        "sbatch", "--wrap", "echo out; echo err >&2; pwd; echo $SLURM_JOB_ID $FOO", env={"FOO": "ü x"}
    )
    assert (code, out, err) == (0, "Submitted batch job 1\n", "")
    served.wait("1", "COMPLETED None 0:0")
    assert served.text("slurm-1.out") == f"out\nerr\n{served.work}\n1 ü x\n"
    assert served.run("squeue", "-h") == (0, "", "")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exit 3", "FAILED NonZeroExitCode 3:0"),
        ("nosuchcommand", "FAILED NonZeroExitCode 127:0"),
        ("exit 137", "FAILED NonZeroExitCode 137:0"),
        ("kill -9 $$", "FAILED JobLaunchFailure 0:9"),
        ("kill -TERM $$", "FAILED JobLaunchFailure 0:15"),
    ],
)
def test_ends(served: Served, script: str, expected: str) -> None:
    job = served.submit("--wrap", script)
    served.wait(job, expected)


@pytest.mark.parametrize(
    "options", [("-o", "missing/o"), ("-D", "/nonexistent"), ("-e", "/dev/null/x"), ("-i", "nofile")]
)
def test_launch_failures(served: Served, options: tuple[str, str]) -> None:
    job = served.submit(*options, "--wrap", "touch ran")
    served.wait(job, "FAILED JobLaunchFailure 0:53")
    assert served.text("ran") == ""
    assert served.text(f"slurm-{job}.out") == ""


def test_a_pipe_as_output_does_not_stop_the_controller(served: Served) -> None:
    os.mkfifo(served.work / "pipe")
    job = served.submit("-o", "pipe", "--wrap", "true")
    served.wait(job, "FAILED JobLaunchFailure 0:53")


def test_a_script_that_cannot_be_executed(served: Served) -> None:
    job = served.submit(stdin=b"#!/no/such/interpreter\n")
    served.wait(job, "FAILED NonZeroExitCode 2:0")
    assert "No such file or directory" in served.text(f"slurm-{job}.out")


def test_odd_names_arguments_and_patterns(served: Served) -> None:
    folder = served.work / "my dir 'q\" ü"
    folder.mkdir()
    script = folder / "run\nme ü.sh"
    script.write_text('#!/bin/bash\nprintf "%s|" "$@"\necho "$0" | wc -l\n')
    odd = ["", "a b", "'q\"", "new\nline", "$HOME", "ü", "--partition=x", "*"]
    pattern = f"{folder.name}/log %x_%5j %q %%.out"
    job = served.submit("-J", "n ü", "-o", pattern, str(script), *odd)
    served.wait(job, "COMPLETED")
    assert served.text(f"{folder.name}/log n ü_{int(job):05d} %q %.out") == "|".join(odd) + "|1\n"


def test_bytes_that_are_not_utf8_survive(served: Served) -> None:
    job = served.submit(stdin=b"#!/bin/sh\nprintf '\xff\xfe'; printf %s \"$ODD\"\n", env={"ODD": "\udcf0"})
    served.wait(job, "COMPLETED")
    assert (served.work / f"slurm-{job}.out").read_bytes() == b"\xff\xfe\xf0"


def test_scripts_come_from_files_pipes_and_standard_input(served: Served) -> None:
    (served.work / "a.sh").write_text("#!/bin/sh\n#SBATCH -J fromfile\necho $SLURM_JOB_NAME $1\n")
    first = served.submit("a.sh", "x")
    (served.work / "a.sh").write_text("#!/bin/sh\necho changed\n")
    served.wait(first, "COMPLETED")
    assert served.text(f"slurm-{first}.out") == "fromfile x\n"  # copied at submission
    code, out, _ = served.run("bash", "-c", "sbatch --parsable <(printf '#!/bin/sh\\necho piped\\n')")
    assert code == 0
    served.wait(out.strip(), "COMPLETED")
    assert served.text(f"slurm-{out.strip()}.out") == "piped\n"
    assert served.run("sbatch", str(served.work))[2] == "sbatch: error: Batch script is empty!\n"


def test_output_is_truncated_unless_appended(served: Served) -> None:
    for mode, expected in (("truncate", "x\n"), ("append", "x\nx\n")):
        job = served.submit("-o", "same.out", f"--open-mode={mode}", "--wrap", "echo x")
        served.wait(job, "COMPLETED")
        assert served.text("same.out") == expected
    job = served.submit("-o", "o.%j", "-e", "e.%j", "--wrap", "echo o; echo e >&2")
    served.wait(job, "COMPLETED")
    assert (served.text(f"o.{job}"), served.text(f"e.{job}")) == ("o\n", "e\n")


def test_cancel_reaches_every_process(served: Served) -> None:
    job = served.submit("--wrap", "sleep 600 & setsid sleep 600 & echo $! >away; echo $$ >me; wait")
    until(lambda: served.text("away") and served.text("me"), "the job's processes")
    assert served.run("scancel", job) == (0, "", "")
    served.wait(job, "CANCELLED None 0:15")
    assert not alive(served.text("away"))
    assert not alive(served.text("me"))
    line = served.text(f"slurm-{job}.out")
    assert line.startswith(f"slurmstepd: error: *** JOB {job} ON sdfmilan001 CANCELLED AT 20")
    assert line.endswith(" ***\n")


def test_who_ignores_sigterm_is_killed_later(served: Served) -> None:
    job = served.submit("--wrap", "trap '' TERM; touch ready; while :; do sleep 0.1; done")
    until(lambda: (served.work / "ready").exists(), "the script")
    served.run("scancel", job)
    served.wait(job, "CANCELLED None 0:9")


def test_who_traps_sigterm_may_clean_up(served: Served) -> None:
    job = served.submit("--wrap", "trap 'echo bye; exit 0' TERM; touch ready; while :; do sleep 0.1; done")
    until(lambda: (served.work / "ready").exists(), "the script")
    served.run("scancel", job)
    served.wait(job, "CANCELLED None 0:0")
    assert served.text(f"slurm-{job}.out").endswith("bye\n")


def test_a_signal_for_the_script_alone(served: Served) -> None:
    job = served.submit("--wrap", "trap 'exit 9' USR1; touch ready; while :; do sleep 0.1; done")
    until(lambda: (served.work / "ready").exists(), "the script")
    served.run("scancel", "-s", "USR1", "-b", job)
    served.wait(job, "FAILED NonZeroExitCode 9:0")


def test_children_left_behind_are_killed(served: Served) -> None:
    job = served.submit("--wrap", "sleep 600 & echo $! >one; setsid sleep 600 & echo $! >two")
    served.wait(job, "COMPLETED None 0:0")
    assert served.text("one")
    assert not alive(served.text("one"))
    assert not alive(served.text("two"))


def test_jobs_submit_jobs(served: Served) -> None:
    inner = "sbatch --parsable --wrap 'echo in $SLURM_JOB_ID'"
    outer = served.submit("--export=NONE", "--wrap", inner)
    served.wait(outer, "COMPLETED")
    job = served.text(f"slurm-{outer}.out").strip()
    served.wait(job, "COMPLETED")
    assert served.text(f"slurm-{job}.out") == f"in {job}\n"


def test_waiting_for_the_end(served: Served) -> None:
    assert served.run("sbatch", "-W", "--wrap", "exit 7") == (7, "Submitted batch job 1\n", "")


def test_the_end_of_the_daemon_leaves_nothing(served: Served) -> None:
    job = served.submit(
        "--wrap", "trap '' TERM; setsid sleep 600 & echo $! >away; echo $$ >me; wait; sleep 600"
    )
    until(lambda: served.text("away") and served.text("me"), "the job's processes")
    assert stat.S_IMODE(served.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE((served.folder / "state").stat().st_mode) == 0o700
    assert served.stop() == 0
    assert not served.socket.exists()
    assert not alive(served.text("away"))
    assert not alive(served.text("me"))
    assert not list((served.folder / "state").iterdir())
    assert proctable.with_environment(f"SLURM_JOB_ID={job}", f"LUTE_SIM_SLURM_SOCKET={served.socket}") == []


def crash_and_restart(served: Served) -> None:
    served.daemon.send_signal(signal.SIGKILL)
    served.daemon.wait(timeout=30)
    served.socket.unlink()
    served.daemon = served.start()


def test_a_new_daemon_goes_on_with_the_jobs_of_a_killed_one(served: Served) -> None:
    ended = served.submit("--wrap", "exit 3")
    served.wait(ended, "FAILED")
    running = served.submit("--wrap", "echo x >>ran; until [ -e go ]; do sleep 0.05; done; exit 7")
    held = served.submit("--hold", "-J", "a name", "--wrap", "echo y >>ran")
    array = served.submit("--hold", "--array=1-3%1", "--wrap", "true")
    assert served.run("scontrol", "update", "NodeName=sdfmilan004", "State=DRAIN", "Reason=r")[0] == 0
    until(lambda: served.text("ran"), "the script")
    before = served.run("squeue", "-h", "-t", "all", "-o", "%i %j %T %r %N %Q")[1]
    crash_and_restart(served)
    assert served.run("squeue", "-h", "-t", "all", "-o", "%i %j %T %r %N %Q")[1] == before
    assert served.run("sinfo", "-h", "-n", "sdfmilan004", "-o", "%T")[1] == "drained\n"
    (served.work / "go").touch()
    served.wait(running, "FAILED NonZeroExitCode 7:0")
    served.run("scontrol", "release", held)
    served.wait(held, "COMPLETED None 0:0")
    assert served.text("ran") == "x\ny\n"
    served.run("scontrol", "release", array)
    served.wait(array, "COMPLETED None 0:0")
    assert served.submit("--wrap", "true") not in (ended, running, held, array)


def test_a_job_that_ended_while_nobody_looked_is_found(served: Served) -> None:
    job = served.submit("--wrap", "touch started; until [ -e go ]; do sleep 0.05; done; touch over")
    until(lambda: (served.work / "started").exists(), "the script")
    served.daemon.send_signal(signal.SIGKILL)
    served.daemon.wait(timeout=30)
    served.socket.unlink()
    (served.work / "go").touch()
    until(lambda: (served.work / "over").exists(), "the end of the script")
    served.daemon = served.start()
    served.wait(job, "COMPLETED None 0:0")


def test_a_job_cancelled_before_a_crash_stays_cancelled(served: Served) -> None:
    job = served.submit("--wrap", "trap '' TERM; touch ready; while :; do sleep 0.1; done")
    until(lambda: (served.work / "ready").exists(), "the script")
    served.run("scancel", job)
    crash_and_restart(served)
    served.wait(job, "CANCELLED None 0:9")


def test_a_job_has_the_umask_of_its_submitter(served: Served) -> None:
    code, out, _ = served.run("bash", "-c", "umask 077; sbatch --parsable --wrap umask")
    assert code == 0
    served.wait(out.strip(), "COMPLETED")
    assert served.text(f"slurm-{out.strip()}.out") == "0077\n"
    assert stat.S_IMODE((served.work / f"slurm-{out.strip()}.out").stat().st_mode) == 0o600


def test_two_daemons_do_not_share_a_folder(served: Served) -> None:
    job = served.submit("--wrap", "sleep 600")
    served.wait(job, "RUNNING")
    argv = [sys.executable, "-m", "simulators.slurm.daemon", "--socket", str(served.folder / "other")]
    argv += ["--state-dir", str(served.folder / "state")]
    second = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert second.returncode != 0
    assert "another one works in" in second.stderr
    assert served.state(job).startswith("RUNNING")


def test_a_daemon_killed_while_it_ends_leaves_nothing_to_run_again(served: Served) -> None:
    for number in range(5):
        served.submit("--wrap", f"echo run >>ran.{number}; sleep 600")
    until(lambda: all(served.text(f"ran.{number}") for number in range(5)), "the scripts")
    served.daemon.send_signal(signal.SIGTERM)
    time.sleep(0.06)  # in the middle of the end of a real process
    served.daemon.kill()
    served.daemon.wait(timeout=30)
    served.socket.unlink(missing_ok=True)
    served.daemon = served.start()
    until(lambda: served.run("squeue", "-h")[1] == "", "an empty queue")
    assert [served.text(f"ran.{number}") for number in range(5)] == ["run\n"] * 5


def test_what_is_forgotten_leaves_the_disk(served: Served) -> None:
    journal = Journal(served.folder / "journal")
    cluster = new_cluster(SlurmConf())
    journal.load(cluster)
    request = JobRequest("n", "#!/bin/sh\n", ME, partitions=("milano",), env={"TOKEN": "secret"})
    for number in range(1, 121):
        job = Job(number, request, 0.0, "milano", 1)
        journal.note_job(job, cluster)
        journal.note_forgotten(number)
    assert (served.folder / "journal").read_text().count("secret") < 30


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random_moments_lose_no_job_and_run_none_twice(served: Served, seed: int) -> None:
    random = Random(seed)
    acknowledged: list[str] = []
    for _ in range(4):
        kill = threading.Timer(random.uniform(0.05, 0.6), served.daemon.kill)
        kill.start()
        while served.daemon.poll() is None:
            code, out, err = served.run(
                "sbatch", "--parsable", "--wrap", "echo $SLURM_JOB_ID >>ran; sleep 0.2"
            )
            if code == 0:
                acknowledged.append(out.strip())
            else:  # whether the controller still took it is not known, and said so
                assert "Unable to contact slurm controller" in err or "Socket timed out" in err
        kill.join()
        served.daemon.wait(timeout=30)
        served.socket.unlink(missing_ok=True)
        served.daemon = served.start()
    until(lambda: served.run("squeue", "-h") == (0, "", ""), "an empty queue", 60)
    ran = served.text("ran").split()
    assert acknowledged
    assert set(acknowledged) <= set(ran)
    assert len(ran) == len(set(ran))


def test_a_controller_that_dies_while_it_is_asked_is_told_of(short_folder: Path) -> None:
    path = short_folder / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        hangs_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hangs_up.start()
        env = dict.fromkeys("ABC", 100000 * "x")  # more than a socket holds: it is still sending then
        asked = subprocess.run(
            [BIN / "sbatch", "-"],
            env={**env, "LUTE_SIM_SLURM_SOCKET": str(path), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        hangs_up.join()
    problem = "Socket timed out on send/recv operation"
    assert (asked.returncode, asked.stderr) == (1, f"sbatch: error: Batch job submission failed: {problem}\n")


def test_a_torn_journal_loses_nothing_that_was_told(served: Served) -> None:
    job = served.submit("--hold", "--wrap", "true")
    served.daemon.send_signal(signal.SIGKILL)
    served.daemon.wait(timeout=30)
    served.socket.unlink()
    journal = served.folder / "state" / "journal.jsonl"
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    with journal.open("a") as file:
        file.write('{"kind": "job", "id": 77, "sta')
    served.daemon = served.start()
    assert served.state(job).startswith("PENDING JobHeld")


@pytest.mark.parametrize(
    ("argv", "code", "out", "err"),
    [
        (["sbatch", "--wrap=x"], 1, "", "sbatch: error: Batch job submission failed: {}\n"),
        (["squeue"], 1, "", "slurm_load_jobs error: {}\n"),
        (["scontrol", "show", "job", "1"], 1, "", "slurm_load_jobs error: {}\n"),
        (
            ["scancel", "5", "6"],
            8,
            "",
            "".join(f"scancel: error: Kill job error on job id {i}: {{}}\n" for i in "56"),
        ),
        (["sinfo"], 1, "", "slurm_load_partitions: {}\n"),
    ],
)
def test_no_controller(tmp_path: Path, argv: list[str], code: int, out: str, err: str) -> None:
    env = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "LUTE_SIM_SLURM_SOCKET": str(tmp_path / "none"),
        "LUTE_SIM_SLURM_CONNECT_WAIT_S": "0",
    }
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=30)
    said = err.format(*["Unable to contact slurm controller (connect failure)"] * 2)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, said)


@pytest.mark.parametrize(
    "request_text", [b"", b"[]", b"{}", b'{"argv": "x"}', b"\xff", b'{"argv":[],"env":{},"cwd":"/"}']
)
def test_garbage_on_the_socket_harms_nobody(served: Served, request_text: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(served.socket))
        connection.sendall(request_text)
        connection.shutdown(socket.SHUT_WR)
        reply = b"".join(iter(lambda: connection.recv(4096), b""))
    assert json.loads(reply)["exit_code"] != 0
    assert served.run("squeue", "-h") == (0, "", "")


def test_the_commands_are_executable_links_to_one_file() -> None:
    names = {path.name for path in BIN.iterdir()}
    assert names == {"sacct", "sbatch", "scancel", "scontrol", "sinfo", "squeue"}
    assert {path.resolve() for path in BIN.iterdir()} == {ROOT / "simulators" / "slurm" / "client.py"}
    assert all(os.access(path, os.X_OK) for path in BIN.iterdir())


def test_a_path_too_long_for_a_socket_is_explained() -> None:
    argv = [
        sys.executable,
        "-m",
        "simulators.slurm.daemon",
        "--state-dir",
        "/nonexistent",
        "--socket",
        "/x" * 60,
    ]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "too long for a socket" in done.stderr
