"""Copies of credentials caches; with a real KDC they are in `real`."""

import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lute.arp import kerberos
from lute.arp.kerberos import TicketCopy, copy_tickets, remove_stale
from lute.errors import ConfigError
from lute.seams import Runtime
from lute.seams.commands import CommandTimeout, Completed
from tests.fakes import START, fake_runtime
from tests.lute.arp.caches import cache, with_ticket

NOW_S = START.timestamp()


class Commands:
    """Answers klist and kinit as told; notes what it was asked."""

    def __init__(self, answer: Completed | Exception) -> None:
        self.answer = answer
        self.asked: list[list[str]] = []

    def run(self, argv: Sequence[str], **_: Any) -> Completed:
        self.asked.append(list(argv))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def runtime(answer: Completed | Exception | None = None) -> Runtime:
    return replace(fake_runtime(), commands=Commands(answer or FileNotFoundError("klist")))  # type: ignore[arg-type]


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "krb5cc 'ü'"
    path.write_bytes(with_ticket(ends_s=NOW_S + 3600))
    return path


@pytest.fixture
def env(tmp_path: Path, users: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "KRB5CCNAME": f"FILE:{users}"}


def root(env: dict[str, str]) -> Path:
    return Path(env["HOME"], ".lute", "krb5")


@pytest.fixture(autouse=True)
def loose_umask() -> Any:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("prefix", ["FILE:", ""])
def test_a_copy_is_private_and_the_same(env: dict[str, str], users: Path, prefix: str) -> None:
    before = users.stat()
    copy = copy_tickets(env | {"KRB5CCNAME": f"{prefix}{users}"}, runtime())
    assert copy is not None
    assert copy.path.read_bytes() == users.read_bytes()
    made = (copy.path, copy.path.parent, root(env), root(env).parent)
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o600, 0o700, 0o700, 0o700]
    after = users.stat()
    assert (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)


def test_two_runs_have_a_copy_each(env: dict[str, str], users: Path) -> None:
    world = runtime()
    first, second = copy_tickets(env, world), copy_tickets(env, world)
    assert first is not None and second is not None and first != second
    first.remove()
    first.remove()
    assert second.ticket() is not None
    assert users.is_file()


def test_a_runs_own_copy_is_taken_as_it_is(env: dict[str, str]) -> None:
    copy = copy_tickets(env, runtime())
    assert copy is not None
    again = copy_tickets(env | {"KRB5CCNAME": copy.name}, runtime(AssertionError("klist is not asked")))
    assert again == copy
    copy.remove()
    assert copy_tickets(env | {"KRB5CCNAME": copy.name}, runtime()) is None


@pytest.mark.parametrize(
    "answer",
    [
        Completed(0, "Ticket cache: FILE:{users}\nDefault principal: scientist@LUTE.TEST\n", ""),
        Completed(0, "Ticketzwischenspeicher: FILE:{users}\n", ""),
    ],
)
def test_without_the_variable_klist_tells_where_it_is(
    env: dict[str, str], users: Path, answer: Completed
) -> None:
    del env["KRB5CCNAME"]
    copy = copy_tickets(env, runtime(replace(answer, stdout=answer.stdout.format(users=users))))
    assert copy is not None


@pytest.mark.parametrize(
    "answer",
    [
        Completed(1, "", "klist: No credentials cache found (filename: /tmp/krb5cc_0)\n"),
        Completed(0, "", ""),
        FileNotFoundError("klist"),
        CommandTimeout("klist"),
    ],
)
def test_without_tickets_there_is_no_copy(env: dict[str, str], answer: Completed | Exception) -> None:
    del env["KRB5CCNAME"]
    assert copy_tickets(env, runtime(answer)) is None
    assert not root(env).exists()


@pytest.mark.parametrize(
    "name", ["KCM:1000", "KEYRING:persistent:1000", "DIR:/run/user/1000/krb5cc", "API:x"]
)
def test_caches_without_a_file_are_told_apart(env: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} cannot be copied(?s:.*)kinit -c FILE:PATH"):
        copy_tickets(env | {"KRB5CCNAME": name}, runtime())


def test_what_is_no_cache_is_not_copied(env: dict[str, str], users: Path) -> None:
    users.write_bytes(b"my thesis")
    with pytest.raises(ConfigError, match="not a Kerberos cache"):
        copy_tickets(env, runtime())
    assert not root(env).exists()


def test_a_copy_that_cannot_be_written_leaves_nothing(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, _mode: str) -> None:
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kerberos, "open", full, raising=False)
    with pytest.raises(ConfigError, match=r"cannot be copied: .*No space left"):
        copy_tickets(env, runtime())
    assert list(root(env).iterdir()) == []


def made(env: dict[str, str], number: int, data: bytes | None, *, age_s: float = 0.0) -> Path:
    folder = root(env) / f"{number:032x}"
    folder.mkdir(parents=True)
    if data is not None:
        (folder / "ccache").write_bytes(data)
    os.utime(folder, (NOW_S - age_s, NOW_S - age_s))
    return folder


def test_stale_copies_go_and_all_else_stays(env: dict[str, str], tmp_path: Path) -> None:
    day_s = 24 * 3600
    gone = [
        made(env, 1, with_ticket(ends_s=NOW_S - 1)),
        made(env, 2, b"damaged", age_s=day_s + 1),
        made(env, 3, None, age_s=day_s + 1),
    ]
    kept = [
        made(env, 4, with_ticket(ends_s=NOW_S + 60), age_s=30 * day_s),
        made(env, 5, b"\x05\x04 being written"),
        made(env, 6, None),
    ]
    for name in ("mine", "0" * 31):
        (root(env) / name).mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "ccache").write_bytes(with_ticket(ends_s=NOW_S - 1))
    (root(env) / f"{7:032x}").symlink_to(elsewhere)
    remove_stale(root(env), runtime())
    assert [folder.exists() for folder in gone] == [False] * 3
    assert [folder.exists() for folder in kept] == [True] * 3
    assert (root(env) / "mine").is_dir()
    assert (root(env) / ("0" * 31)).is_dir()
    assert (elsewhere / "ccache").is_file()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Completed(1, "", "kinit: KDC can't fulfill\n requested option\n"),
            "kinit: KDC can't fulfill requested option",
        ),
        (Completed(3, "", ""), "exit code 3"),
        (FileNotFoundError("kinit"), "kinit"),
        (CommandTimeout("kinit was still running"), "still running"),
    ],
)
def test_a_renewal_that_fails_says_how_to_go_on(
    env: dict[str, str], answer: Completed | Exception, said: str
) -> None:
    copy = copy_tickets(env, runtime())
    assert copy is not None
    with pytest.raises(ConfigError, match=rf"could not be renewed: .*{said}(?s:.*)kinit -c FILE:"):
        copy.renew(runtime(answer))


def test_a_renewal_that_leaves_no_ticket_is_none(env: dict[str, str]) -> None:
    copy = copy_tickets(env, runtime())
    assert copy is not None
    copy.path.write_bytes(cache())
    world = runtime(Completed(0, "", ""))
    with pytest.raises(ConfigError):
        copy.renew(world)
    assert world.commands.asked == [["kinit", "-R", "-c", copy.name]]  # type: ignore[attr-defined]


def test_the_command_makes_a_copy_and_removes_it(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], users: Path
) -> None:
    monkeypatch.setattr(kerberos, "environment", lambda: env)
    monkeypatch.setattr(kerberos, "current_runtime", runtime)
    assert kerberos.main([]) == 0
    name = capsys.readouterr().out
    copy = TicketCopy(Path(name.removeprefix("FILE:")))
    assert copy.ticket() is not None
    # Only a copy is ever removed.
    assert kerberos.main(["--remove"]) == 0
    assert users.is_file() and copy.path.is_file()
    env["KRB5CCNAME"] = name
    assert kerberos.main(["--remove"]) == 0
    assert not copy.path.parent.exists()
    env["KRB5CCNAME"] = "KCM:1000"
    assert kerberos.main([]) == 0
    told = capsys.readouterr()
    assert (told.out, "warning: the Kerberos cache KCM:1000" in told.err) == ("", True)
