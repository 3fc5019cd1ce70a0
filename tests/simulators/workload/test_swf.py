import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lute.errors import ConfigError
from simulators.workload.load import LoadJob, Outcome
from simulators.workload.swf import NO_PROCS, NO_RUN, NO_SUBMIT, PART_OF_ANOTHER, SwfFile

HEADER = "; Version: 2.2\n;\n; a comment\n; MaxNodes: 4\n; MaxProcs: 512 (all)\n; UnixStartTime: 1132444805\n"


def line(
    submit: object = 10,
    run: object = 83,
    allocated: object = 2,
    requested: object = -1,
    requested_time: object = 1200,
    status: object = 1,
) -> str:
    fields: list[object] = [-1] * 18
    fields[0], fields[1], fields[3], fields[4] = 1, submit, run, allocated
    fields[7], fields[8], fields[10] = requested, requested_time, status
    return "  ".join(str(field) for field in fields) + "\n"


def swf(folder: Path, text: str) -> SwfFile:
    file = folder / "log.swf"
    file.write_text(text)
    return SwfFile(file)


def test_the_header_and_the_jobs(tmp_path: Path) -> None:
    log = swf(tmp_path, HEADER + line() + "\n; in between\n" + line(submit=11.5, requested=4, status=0))
    assert (log.max_nodes, log.max_procs, log.start_posix_s) == (4, 512, 1132444805)
    assert log.header["Version"] == "2.2"
    assert list(log.jobs()) == [
        LoadJob(10, 83, 2, 1200),
        LoadJob(11.5, 83, 4, 1200, Outcome.FAILED),
    ]
    assert not log.skipped


def test_a_header_may_say_nothing(tmp_path: Path) -> None:
    log = swf(tmp_path, "; MaxProcs: many\n" + line())
    assert (log.max_nodes, log.max_procs, log.start_posix_s) == (None, None, None)


def test_a_log_may_be_compressed_whatever_its_name(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(gzip.compress((HEADER + line()).encode()))
    assert len(list(SwfFile(file).jobs())) == 1


def test_a_limit_that_is_not_known_is_a_little_more_than_the_run_time(tmp_path: Path) -> None:
    log = swf(
        tmp_path,
        line(run=83, requested_time=-1) + line(run=120, requested_time=0) + line(run=0, requested_time=-1),
    )
    assert [job.limit_s for job in log.jobs()] == [120, 180, 60]


def test_what_cannot_be_replayed_is_counted(tmp_path: Path) -> None:
    lines = [
        line(allocated=-1),
        line(allocated=0),
        line(run=-1),
        line(submit=-1),
        line(status=2),
        line(status=5),
    ]
    log = swf(tmp_path, "".join(lines))
    for _ in range(2):  # each reading counts anew
        assert [job.outcome for job in log.jobs()] == [Outcome.CANCELLED]
        assert log.skipped == {NO_PROCS: 2, NO_RUN: 1, NO_SUBMIT: 1, PART_OF_ANOTHER: 1}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("1 2 3\n", "3 numbers instead of 18"),
        (line().strip() + " 7\n", "19 numbers instead of 18"),
        (line(run="soon"), "not a number: soon"),
        (line(run="nan"), "not a number: nan"),
        (line(submit="inf"), "not a number: inf"),
        (line(allocated=1.5), "not a whole number of processors: 1.5"),
    ],
)
def test_a_malformed_line_is_told_with_its_number(tmp_path: Path, text: str, what: str) -> None:
    log = swf(tmp_path, "; Version: 2\n" + line() + text)
    with pytest.raises(ConfigError) as caught:
        list(log.jobs())
    assert str(caught.value) == f"{log_path(tmp_path)}:3: not a line of the Standard Workload Format: {what}"


def log_path(folder: Path) -> Path:
    return folder / "log.swf"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.swf: cannot be read: No such file"):
        SwfFile(tmp_path / "none.swf")
    cut = tmp_path / "cut.swf.gz"
    cut.write_bytes(gzip.compress((HEADER + line() * 5000).encode())[:-40])
    with pytest.raises(ConfigError, match=r"cut\.swf\.gz: cannot be read: "):
        list(SwfFile(cut).jobs())
    cut.write_bytes(gzip.compress(HEADER.encode())[:12] + b"damaged" * 9)
    with pytest.raises(ConfigError, match=r"cut\.swf\.gz: cannot be read: "):
        SwfFile(cut)


GZIP_START = gzip.compress(line().encode())[:30]
whole = st.integers(0, 10**9)
jobs = st.builds(
    LoadJob,
    submit_s=st.one_of(whole, st.floats(0, 1e9)),
    run_s=st.one_of(whole, st.floats(0, 1e7)),
    procs=st.integers(1, 10**6),
    limit_s=st.integers(1, 10**7),
    outcome=st.sampled_from(Outcome),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(jobs, max_size=20), st.booleans(), st.booleans())
def test_what_is_written_is_read(
    tmp_path: Path, load: Sequence[LoadJob], requested: bool, compressed: bool
) -> None:
    text = HEADER
    for job in load:
        where = "requested" if requested else "allocated"
        text += line(
            job.submit_s, job.run_s, requested_time=job.limit_s, status=int(job.outcome), **{where: job.procs}
        )
    file = tmp_path / "log.swf"
    file.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    log = SwfFile(file)
    assert list(log.jobs()) == list(load)
    assert not log.skipped


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=99).map(lambda rest: GZIP_START + rest)))
def test_odd_input_is_read_or_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "log.swf"
    file.write_bytes(content)
    try:
        log = SwfFile(file)
        for job in log.jobs():
            assert job.procs > 0
            assert job.run_s >= 0
            assert job.submit_s >= 0
    except ConfigError as error:
        assert str(file) in str(error)
