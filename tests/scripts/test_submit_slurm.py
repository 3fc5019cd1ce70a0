import re
from pathlib import Path

import pytest

from tests.scripts.conftest import SCRIPTS, Run

SITE_WANTS = ("--partition=milano", "--account=lcls:x")


def test_every_other_argument_reaches_sbatch_untouched(run: Run, config: Path) -> None:
    odd = ["--comment=a  b 'c' \"d\" $HOME *", "--mem", "4G", "--constraint=ü;x", "--export=A=1,B=\n2"]
    done = run(
        "submit_slurm.sh", *odd[:2], "-c", str(config), "-t", "Tester", *SITE_WANTS, *odd[2:], "--debug"
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "Submitted batch job 7\n"
    assert done.stderr == ""
    assert done.argv is not None
    start = done.argv.index(odd[0])
    job = str(SCRIPTS / "job_task.sh")
    assert done.argv[start:] == [
        *odd[:2], *SITE_WANTS, *odd[2:],
        job, str(SCRIPTS), "-c", str(config), "-t", "Tester", "--debug",
    ]  # fmt: skip


def test_the_log_is_named_for_task_experiment_run_and_time(run: Run, config: Path) -> None:
    done = run("submit_slurm.sh", "-c", str(config), "-t", "Tester", *SITE_WANTS)
    pattern = r"Tester_mfxl1000126_r0012_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_%J\.out"
    assert re.fullmatch(pattern, done.option("output")[0])
    assert done.option("output") == done.option("error")
    assert done.option("job-name") == ["Tester"]
    assert done.env["RUN"] == "12"


@pytest.mark.parametrize(
    ("env", "run_part"),
    [({"RUN_NUM": "0012"}, "r0012"), ({"RUN_NUM": "", "RUN": "9"}, "r0009"), ({"RUN_NUM": "12345"}, "r12345"),
     ({"RUN_NUM": "x"}, "r0000")],
)  # fmt: skip
def test_run_numbers_of_every_form(run: Run, config: Path, env: dict[str, str], run_part: str) -> None:
    done = run("submit_slurm.sh", "-c", str(config), "-t", "Tester", *SITE_WANTS, **env)
    assert f"_{run_part}_" in done.option("output")[0]


def test_the_users_output_comes_last_and_so_wins(run: Run, config: Path) -> None:
    done = run("submit_slurm.sh", "-c", str(config), "-t", "Tester", *SITE_WANTS, "--output=mine.out")
    assert done.option("output")[-1] == "mine.out"


@pytest.mark.parametrize(
    "given",
    [[], ["--partition=milano"], ["-p", "milano"], ["--part", "milano", "-Alcls:x"], ["--account", "lcls:x"]],
)
def test_a_missing_partition_or_account_is_a_warning(run: Run, config: Path, given: list[str]) -> None:
    done = run("submit_slurm.sh", "-c", str(config), "-t", "Tester", *given)
    assert done.exit_code == 0
    text = " ".join(given)
    assert ("no --partition" in done.stderr) is ("-p" not in text and "--part" not in text)
    assert ("no --account" in done.stderr) is ("-A" not in text and "--acc" not in text)


@pytest.mark.parametrize(
    "arguments",
    [[], ["-t", "Tester"], ["-c", "CONFIG"], ["-c"], ["-c", "CONFIG", "-t"], ["-c", "CONFIG", "-t", "a b"],
                  ["-c", "/no/such.yaml", "-t", "Tester"]]
)  # fmt: skip
def test_missing_arguments_exit_2_with_usage(run: Run, config: Path, arguments: list[str]) -> None:
    done = run("submit_slurm.sh", *[str(config) if word == "CONFIG" else word for word in arguments])
    assert done.exit_code == 2
    assert "usage: submit_slurm.sh -c CONFIG -t TASK" in done.stderr
    assert done.argv is None


def test_sbatchs_refusal_is_passed_on(run: Run, config: Path) -> None:
    refusal = {"SBATCH_SAYS": "sbatch: error: no", "SBATCH_EXIT": "33"}
    done = run("submit_slurm.sh", "-c", str(config), "-t", "Tester", *SITE_WANTS, **refusal)
    assert (done.exit_code, done.stdout, done.stderr) == (33, "", "sbatch: error: no\n")


def test_the_size_of_an_enclosing_job_is_forgotten(run: Run, config: Path) -> None:
    enclosing = {"SLURM_NTASKS": "3", "SLURM_JOB_ID": "5", "SLURM_CONF": "/etc/slurm.conf"}
    done = run("submit_slurm.sh", "-c", str(config), "-t", "Tester", *SITE_WANTS, **enclosing)
    assert {name for name in done.env if name.startswith("SLURM_")} == {"SLURM_CONF"}


def test_a_relative_configuration_becomes_absolute(run: Run, config: Path) -> None:
    done = run("submit_slurm.sh", "--config=config.yaml", "--taskname=Tester", *SITE_WANTS)
    assert done.argv is not None
    assert done.argv[done.argv.index("-c") + 1] == str(config)


def test_the_sites_own_script_is_sourced(run: Run, config: Path, tmp_path: Path) -> None:
    (tmp_path / "site.sh").write_text("export FROM_SITE=yes\nfalse\necho $undefined_is_no_error\n")
    done = run("submit_slurm.sh", "-c", str(config), "-t", "Tester", *SITE_WANTS)
    assert done.exit_code == 0, done.stderr
    assert done.env["FROM_SITE"] == "yes"
