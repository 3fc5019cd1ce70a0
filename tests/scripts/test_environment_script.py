"""The environment script of a site: bash and Python read the same from its file; the scripts source it."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.settings import load_settings
from tests.lute.test_settings import GOOD
from tests.scripts.conftest import SCRIPTS, Run

SITE_WANTS = ("--partition=milano", "--account=lcls:x")
SUBMIT = ("submit_slurm.sh", "-c", "config.yaml", "-t", "Tester", *SITE_WANTS)
TABLES = GOOD.partition("\n")[2]
REFUSED = "refused"

READ = {
    'environment_script = "env.sh"': "env.sh",
    "environment_script = 'env.sh'": "env.sh",
    '\t environment_script="env.sh"\t# set up "Python"': "env.sh",
    'environment_script = "/sdf/we ird/ü $HOME `x`;*.sh"  #': "/sdf/we ird/ü $HOME `x`;*.sh",
    'environment_script = "it\'s.sh"': "it's.sh",
    "environment_script = 'a \"b\" \\n.sh'": 'a "b" \\n.sh',
    'environment_script = "#no.sh" # comment': "#no.sh",
    'environment_script = " blank .sh "': " blank .sh ",
    'environment_script = "～/\u2003\u2028.sh"': "～/\u2003\u2028.sh",
    'environment_script = "../up/env.sh"': "../up/env.sh",
    'environment_script = "-n"': "-n",
    'environment_script = "env.sh"\r': "env.sh",
    'location = "HERE"\r\nenvironment_script = "env.sh"\r': "env.sh",
    '\n# [elog]\n\nenvironment_script = "env.sh"': "env.sh",
    '# environment_script = "env.sh"': None,
    'location = "environment_script = 1"': None,
    "": None,
    'environment_script = ""': REFUSED,
    "environment_script = ''": REFUSED,
    'environment_script = "a\\\\b.sh"': REFUSED,
    'environment_script = "\\u00fc.sh"': REFUSED,
    'environment_script = """env.sh"""': REFUSED,
    "environment_script = '''env.sh'''": REFUSED,
    "environment_script = '''\nenv.sh'''": REFUSED,
    '"environment_script" = "env.sh"': REFUSED,
    "'environment_script' = 'env.sh'": REFUSED,
    'location = """\nenvironment_script = "env.sh"\n"""': REFUSED,
    "location = '''\n[airflow]'''\nenvironment_script = 'env.sh'": REFUSED,
}
"""What stands before the first table, and which path it names."""


class Bash:
    """Asks environment_script of scripts/common.sh about many files at once, in one process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self, heads: list[str]) -> list[str | None]:
        files = []
        for number, head in enumerate(heads):
            files.append(self._folder / f"{number}.toml")
            files[-1].write_bytes(f"{head}\n{TABLES}".encode())
        code = """
            scripts_dir="$1"
            source "$scripts_dir/common.sh"
            shift
            for file; do
                said="$(environment_script "$file" 2>&1)" && code=0 || code="$?"
                printf '%s\\0%s\\0' "$code" "$said"
            done
        """
        done = subprocess.run(
            ["bash", "-euc", code, "bash", SCRIPTS, *files],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            capture_output=True,
            check=True,
        )
        words = done.stdout.decode().split("\0")[:-1]
        return [self._answer(int(code), said) for code, said in zip(words[::2], words[1::2], strict=True)]

    def _answer(self, code: int, said: str) -> str | None:
        if code == 0:
            return said or None
        assert code == 2, said
        # Whether it is there is another matter.
        missing = said.partition("there is no environment script ")[2].partition("\n  next: ")[0]
        return missing or REFUSED


def by_python(file: Path) -> str | None:
    try:
        found = load_settings({"LUTE_SITE": str(file)}).environment_script
    except ConfigError as error:
        return REFUSED if "the scripts cannot read environment_script" in str(error) else "other"
    return str(found) if found else None


def test_bash_and_python_read_the_same(tmp_path: Path) -> None:
    answers = Bash(tmp_path).ask(list(READ))
    for number, (answer, (head, path)) in enumerate(zip(answers, READ.items(), strict=True)):
        meant = path if path in (None, REFUSED) else str(tmp_path / path)
        assert (head, answer, by_python(tmp_path / f"{number}.toml")) == (head, meant, meant)


def test_bash_and_python_read_the_same_whatever_the_pieces(tmp_path: Path) -> None:
    keys = ["environment_script", "'environment_script'", "#environment_script"]
    equals = ["=", " \t= ", "\u00a0="]
    values = ['"a.sh"', "'a.sh'", '"a\'.sh"', "'a", '"a"b"', "a.sh", '"""a"""', '"a\\tb"', "7", "['a']", "''"]
    ends = ["", " # 'x'", " 'x'", "\r", "\u2003", "\nenvironment_script = 'b.sh'", "\n[environment]"]
    heads = ["".join(pieces) for pieces in itertools.product(keys, equals, values, ends)]
    answers = Bash(tmp_path).ask(heads)
    agreed = set()
    for number, (head, answer) in enumerate(zip(heads, answers, strict=True)):
        python = by_python(tmp_path / f"{number}.toml")
        if python != "other":  # no TOML, or another mistake
            assert (head, answer) == (head, python)
            agreed.add(python)
    assert agreed == {None, REFUSED, str(tmp_path / "a.sh"), str(tmp_path / "a'.sh"), str(tmp_path / "b.sh")}


def test_a_key_inside_a_table_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(f'{GOOD}environment_script = "env.sh"\n')
    with pytest.raises(ConfigError, match=r":14: unknown key 'elog.environment_script'"):
        load_settings({"LUTE_SITE": str(file)})
    file.unlink()
    assert Bash(tmp_path).ask(['location = "X"\n[logs]\nenvironment_script = "env.sh"']) == [None]


@pytest.mark.parametrize("line", [2, 3])
def test_both_tell_file_and_line(run: Run, config: Path, tmp_path: Path, line: int) -> None:
    site = tmp_path / "site.toml"
    site.write_text("\n" * (line - 1) + f'environment_script = "a\\\\b"\n{GOOD}')
    done = run(*SUBMIT)
    assert (done.exit_code, done.argv) == (2, None)
    message = f"{site}:{line}: the scripts cannot read environment_script"
    assert done.stderr.startswith(f"submit_slurm.sh: error: {message}\n  next: write environment_script = ")
    with pytest.raises(ConfigError) as caught:
        load_settings({"LUTE_SITE": str(site)})
    assert str(caught.value).startswith(message)


def test_the_key_wins_over_the_script_beside_the_site_file(run: Run, config: Path, tmp_path: Path) -> None:
    (tmp_path / "site.sh").write_text("export FROM=convention\n")
    (tmp_path / "sub 'ü").mkdir()
    (tmp_path / "sub 'ü" / "env.sh").write_text("export FROM=key\n")
    site = tmp_path / "site.toml"
    site.write_text(f'environment_script = "sub \'ü/env.sh"\n{GOOD}')
    assert run(*SUBMIT).env["FROM"] == "key"
    site.write_text(GOOD)
    assert run(*SUBMIT).env["FROM"] == "convention"


def test_a_site_file_in_the_working_directory(run: Run, config: Path, folder: Path) -> None:
    (folder / "env.sh").write_text("export FROM=key\n")
    (folder / "mine.toml").write_text(f"environment_script = 'env.sh'\n{GOOD}")
    assert run(*SUBMIT, LUTE_SITE="mine.toml").env["FROM"] == "key"


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ("{folder}/gone.toml", "there is no site file {folder}/gone.toml"),
        ("sd3f", f"there is no site file {SCRIPTS.parent}/config/sites/sd3f.toml"),
        ("{folder}/lost.toml", "there is no environment script {folder}/env.sh"),
    ],
)
def test_what_is_missing_is_named(run: Run, config: Path, tmp_path: Path, site: str, message: str) -> None:
    (tmp_path / "lost.toml").write_text(f'environment_script = "env.sh"\n{GOOD}')
    for script in ("submit_slurm.sh", "submit_launch_airflow.sh"):
        words = ("-c", "config.yaml", "-t", "Tester", "-w", "test")
        done = run(script, *words, LUTE_SITE=site.format(folder=tmp_path))
        assert (done.exit_code, done.argv) == (2, None)
        assert done.stderr.splitlines()[-2:-1] == [f"{script}: error: {message.format(folder=tmp_path)}"]
        assert done.stderr.splitlines()[-1].startswith("  next: ")


def test_a_python_that_is_too_old_is_told(run: Run, config: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 1\necho "Unknown option: -P" >&2; exit 2\n')
    old.chmod(0o755)
    for words in (
        ("submit_launch_airflow.sh", "-c", "config.yaml", "-w", "test"),
        ("job_task.sh", str(SCRIPTS), "-c", "config.yaml", "-t", "Tester"),
    ):
        done = run(*words, LUTE_PYTHON=str(old))
        assert done.exit_code == 2
        assert done.stderr.startswith(
            f"{words[0]}: error: {old} is not Python 3.11 or later\n  next: set LUTE_"
        )


@pytest.fixture
def wrong_lute(folder: Path, tmp_path: Path) -> Path:
    """Another `lute`, in the folder where jobs run and in one for PYTHONPATH."""
    for place in (folder, tmp_path / "other"):
        (place / "lute").mkdir(parents=True)
        (place / "lute" / "__init__.py").write_text("raise SystemExit('the wrong lute')\n")
    return tmp_path / "other"


def test_another_lute_of_the_user_does_not_win(run: Run, config: Path, wrong_lute: Path) -> None:
    env = {"PYTHONPATH": str(wrong_lute)}
    config.write_text("title: t\nexperiment: exp\nrun: 12\n---\nTester: {}\n")
    launched = run("submit_launch_airflow.sh", "-c", "config.yaml", "-w", "test", **env)
    assert (launched.exit_code, launched.stdout) == (0, "Submitted batch job 7\n"), launched.stderr
    for words in (
        ("job_task.sh", str(SCRIPTS), "-c", "config.yaml", "-t", "NoSuchTask"),
        ("job_launch.sh", str(SCRIPTS), "-c", "/no/such.yaml", "-w", "test"),
    ):
        done = run(*words, **env)
        assert done.exit_code == 2
        assert "the wrong lute" not in done.stderr
        assert "NoSuchTask" in done.stderr or "/no/such.yaml" in done.stderr


def test_an_environment_script_may_change_the_python_path(
    run: Run, config: Path, wrong_lute: Path, tmp_path: Path
) -> None:
    (tmp_path / "site.sh").write_text(f"export PYTHONPATH='{wrong_lute}'\n")
    assert run(*SUBMIT).env["PYTHONPATH"] == f"{SCRIPTS.parent}:{wrong_lute}"


def test_the_scripts_work_from_a_folder_of_another_name(run: Run, config: Path, tmp_path: Path) -> None:
    """An installation may have them in `bin`; the JID is told so by `executable_subdir`."""
    home = tmp_path / "in stalled"
    shutil.copytree(SCRIPTS, home / "bin")
    (home / "lute").mkdir()
    (home / "lute" / "__init__.py").touch()
    (home / "lute" / "run_task.py").write_text("import sys\nprint('ran', sys.argv[1:])\n")
    (home / "config" / "sites").mkdir(parents=True)
    (home / "config" / "sites" / "here.toml").write_text(GOOD)
    done = run(str(home / "bin" / "submit_slurm.sh"), *SUBMIT[1:], LUTE_SITE="here")
    assert done.exit_code == 0, done.stderr
    assert done.argv is not None
    job = done.argv[done.argv.index(str(home / "bin" / "job_task.sh")) :]
    assert job[1] == str(home / "bin")
    assert run(*job, LUTE_PYTHON=sys.executable).stdout == f"ran {job[2:]}\n"
    (home / "lute" / "launch").mkdir()
    (home / "lute" / "launch" / "main.py").write_text("def main(argv, *, scripts): print(argv, scripts)\n")
    done = run(str(home / "bin" / "job_launch.sh"), str(home / "bin"), "-w", "x")
    assert done.stdout == f"['-w', 'x'] {home / 'bin'}\n"
