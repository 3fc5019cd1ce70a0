"""The user's Kerberos tickets: a run gets a copy of its own, and the user's cache is only ever read.

The copy lies at `~/.lute/krb5/<id>/ccache`, in a folder of the run, on the file system that nodes share.
`submit_launch_airflow.sh` makes it (`python -m lute.arp.kerberos`, `--remove` if nothing could be submitted),
because the cache in `/tmp` is not seen from a batch node; a launcher that is run by hand makes it itself. The
launcher removes it at its end, and with it those whose tickets have expired.
"""

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lute.arp.ccache import NotACacheError, Ticket, read_ticket
from lute.errors import ConfigError, LuteError
from lute.seams import Runtime, current_runtime
from lute.seams.commands import CommandTimeout
from lute.settings import environment

_COMMAND_LIMIT_S = 20.0
_KEPT_DAMAGED_S = 24 * 3600.0
"""A folder without a readable copy is removed after so long: before, somebody may be writing it."""
_OWN = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"(?:([A-Z]+):)?(.*)", re.DOTALL)
_ONE_HOST = "only this computer sees it: run `kinit -c FILE:PATH`, set KRB5CCNAME to FILE:PATH, launch again"


@dataclass(frozen=True)
class TicketCopy:
    """A run's own credentials cache.

    Attributes:
        path: of the cache, a file of mode 600 in a folder of mode 700 that holds nothing else.
    """

    path: Path

    @property
    def name(self) -> str:
        """Its name, as KRB5CCNAME takes it."""
        return f"FILE:{self.path}"

    def ticket(self) -> Ticket | None:
        """Return its ticket-granting ticket as it is now, None if it has none or cannot be read."""
        try:
            return read_ticket(self.path.read_bytes())
        except (OSError, NotACacheError):
            return None

    def renew(self, runtime: Runtime) -> Ticket:
        """Let `kinit -R` replace the ticket and return the new one.

        Raises:
            ConfigError: it did not.
        """
        next_step = f"run `kinit -c {self.name}` to give this run a new ticket"
        try:
            done = runtime.commands.run(["kinit", "-R", "-c", self.name], timeout_s=_COMMAND_LIMIT_S)
        except (CommandTimeout, OSError) as error:
            raise ConfigError(
                f"the Kerberos ticket could not be renewed: {error}", next_step=next_step
            ) from error
        ticket = self.ticket()
        if done.exit_code != 0 or ticket is None:
            said = " ".join(done.stderr.split()) or f"exit code {done.exit_code}"
            raise ConfigError(f"the Kerberos ticket could not be renewed: {said}", next_step=next_step)
        return ticket

    def remove(self) -> None:
        """Remove it with its folder; harmless if it is gone."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def copy_tickets(env: Mapping[str, str], runtime: Runtime) -> TicketCopy | None:
    """Return a copy of the user's credentials cache for one run, None if there is no cache.

    The copy that KRB5CCNAME already names is taken as it is. Those of runs long over are removed.

    Raises:
        ConfigError: the cache is of a kind that has no file, or cannot be read or copied.
    """
    root = _root(env)
    if own := _own_copy(env.get("KRB5CCNAME", ""), root):
        return own
    name = env.get("KRB5CCNAME") or _default_name(runtime)
    if not name:
        return None
    kind, rest = _NAME.fullmatch(name).groups()  # type: ignore[union-attr] # it matches every text
    if kind not in (None, "FILE"):
        raise ConfigError(f"the Kerberos cache {name} cannot be copied", next_step=_ONE_HOST)
    try:
        data = Path(rest).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"the Kerberos cache cannot be read: {error}", next_step="look with klist"
        ) from error
    try:
        read_ticket(data)
    except NotACacheError as error:
        raise ConfigError(
            f"not a Kerberos cache of this version: {error}", file=rest, next_step="run kinit, then klist"
        ) from error
    try:
        remove_stale(root, runtime)
        return _write(root / runtime.identity.uuid().hex, data)
    except OSError as error:
        raise ConfigError(
            f"the Kerberos cache cannot be copied: {error}", next_step=f"make room below {root}"
        ) from error


def remove_stale(root: Path, runtime: Runtime) -> None:
    """Remove copies below `root` whose ticket has expired: no launcher renews them any more."""
    now_s = runtime.clock.now().timestamp()
    with contextlib.suppress(FileNotFoundError):
        for folder in root.iterdir():
            if not _OWN.fullmatch(folder.name) or folder.is_symlink():
                continue
            with contextlib.suppress(FileNotFoundError):  # its launcher removes it right now
                copy = TicketCopy(folder / "ccache")
                ticket = copy.ticket()
                ends_s = ticket.ends_s if ticket else folder.stat().st_mtime + _KEPT_DAMAGED_S
                if ends_s <= now_s:
                    copy.remove()


def _root(env: Mapping[str, str]) -> Path:
    return Path(env.get("HOME") or Path.home(), ".lute", "krb5")


def _own_copy(name: str, root: Path) -> TicketCopy | None:
    """Return the copy that a cache's name stands for, None if it is no copy of a run's."""
    path = Path(name.removeprefix("FILE:"))
    is_own = path.name == "ccache" and path.parent.parent == root and _OWN.fullmatch(path.parent.name)
    return TicketCopy(path) if is_own and path.is_file() else None


def _default_name(runtime: Runtime) -> str:
    """Return the name of the cache that Kerberos uses by default, empty if there is none."""
    try:
        done = runtime.commands.run(["klist"], timeout_s=_COMMAND_LIMIT_S)
    except (CommandTimeout, OSError):
        return ""
    found = re.match(r"[^:\n]+: (\S.*)", done.stdout)  # Ticket cache: FILE:/tmp/krb5cc_1000
    return found[1].strip() if found and done.exit_code == 0 else ""


def _write(folder: Path, data: bytes) -> TicketCopy:
    folder.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    copy = TicketCopy(folder / "ccache")
    try:
        descriptor = os.open(copy.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - mode 600 from its first moment
            file.write(data)
    except BaseException:
        copy.remove()
        raise
    return copy


def main(argv: Sequence[str]) -> int:
    """Make a copy and print its name, nothing if there is no cache; with `--remove` remove the copy."""
    env, runtime = environment(), current_runtime()
    try:
        if "--remove" in argv:
            if own := _own_copy(env.get("KRB5CCNAME", ""), _root(env)):
                own.remove()
            return 0
        copy = copy_tickets(env, runtime)
    except LuteError as error:
        # Most workflows get their token from the ARP and need no ticket: no reason to stop.
        sys.stderr.write(f"submit_launch_airflow.sh: warning: {error}\n")
        return 0
    if copy is not None:
        sys.stdout.write(copy.name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
