"""Where a private Slurm has its files, its ports and its sockets."""

import os
import platform
import pwd
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from simulators.realslurm.ports import free_ports
from simulators.serve.components import StackError

_SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path, without the final zero (unix(7))."""


@dataclass(frozen=True)
class Layout:
    """Folders, files and ports of one cluster.

    Attributes:
        folder: its own folder.
        run_dir: where Unix sockets lie: in `folder`, or in a short one in /tmp if that would be too long.
        host: this computer's name, as slurmctld compares it with SlurmctldHost.
        user: SlurmUser and SlurmdUser.
        node_ports: node -> port of its slurmd.
    """

    folder: Path
    run_dir: Path
    host: str
    user: str
    controller_port: int
    database_port: int
    node_ports: dict[str, int] = field(default_factory=dict)

    @property
    def slurm_conf(self) -> Path:
        """The file that SLURM_CONF names."""
        return self.folder / "slurm.conf"

    @property
    def munge_key(self) -> Path:
        """The secret of munge."""
        return self.folder / "munge.key"

    @property
    def munge_socket(self) -> Path:
        """Where munged listens."""
        return self.run_dir / "munge.sock"

    @property
    def database_socket(self) -> Path:
        """Where MariaDB listens."""
        return self.run_dir / "mariadb.sock"

    @property
    def spool_dir(self) -> Path:
        """Above the spool folders of the nodes, in which slurmstepd makes its sockets."""
        return self.run_dir / "spool"

    @property
    def state_dir(self) -> Path:
        """StateSaveLocation."""
        return self.folder / "state"

    @property
    def log_dir(self) -> Path:
        """Logs, two of each daemon: its own, and what it wrote to standard error."""
        return self.folder / "logs"

    def pid_file(self, daemon: str) -> Path:
        """Return where a daemon tells its process id once it listens."""
        return self.run_dir / f"{daemon}.pid"

    def remove_run_dir(self) -> None:
        """Remove the folder in /tmp, if there is one."""
        if self.run_dir.parent != self.folder:
            shutil.rmtree(self.run_dir, ignore_errors=True)


def new_layout(folder: Path, nodes: list[str]) -> Layout:
    """Make the folders, private, and choose the ports.

    Raises:
        StackError: the folder holds a cluster already, there are no free ports, or the user has no name.
    """
    folder = folder.absolute()
    if (folder / "slurm.conf").exists():
        raise StackError(
            f"{folder} holds the files of a private Slurm already", next_step="give each its own folder"
        )
    controller_port, database_port, *node_ports = free_ports(2 + len(nodes))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    layout = Layout(
        folder,
        _run_dir(folder, nodes),
        platform.node().partition(".")[0],
        _user(),
        controller_port,
        database_port,
        dict(zip(nodes, node_ports, strict=True)),
    )
    for inner in (layout.state_dir, layout.log_dir, layout.spool_dir):
        inner.mkdir(mode=0o700)
    return layout


def _user() -> str:
    """Return the name of the user whose rights this process has, whatever USER says.

    Raises:
        StackError: there is none, as in some containers.
    """
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise StackError(
            f"user {os.geteuid()} has no name, and Slurm needs one", next_step="run as a user of /etc/passwd"
        ) from error


def _run_dir(folder: Path, nodes: list[str]) -> Path:
    run_dir = folder / "run"
    node = max(nodes, key=len)
    # slurmstepd's is the longest of all: SPOOL/NODE_JOB.STEP (measured)
    longest = run_dir / "spool" / node / f"{node}_{2**32 - 1}.{2**32 - 1}"
    if len(os.fsencode(longest)) > _SOCKET_PATH_LIMIT:
        return Path(tempfile.mkdtemp(prefix="lute-slurm-", dir="/tmp"))
    run_dir.mkdir(mode=0o700)
    return run_dir


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
