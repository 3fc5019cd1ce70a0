"""The accounting database: MariaDB without a network, slurmdbd, and the user's accounts."""

from simulators.realslurm.configuration import CLUSTER, slurmdbd_conf
from simulators.realslurm.daemons import Daemons
from simulators.realslurm.layout import Layout, write_private
from simulators.serve.components import StackError

_INSTALL_LIMIT_S = 120.0
_READY_LIMIT_S = 30.0
_COMMAND_LIMIT_S = 30.0


def start_accounting(daemons: Daemons, layout: Layout, accounts: tuple[str, ...]) -> None:
    """Bring up the database and tell it of the cluster and of the user's accounts.

    Raises:
        StackError: a part of it did not come up.
    """
    _start_database(daemons, layout)
    write_private(layout.folder / "slurmdbd.conf", slurmdbd_conf(layout))
    # libmariadb learns of a socket in no other way (tried)
    env = {"MYSQL_UNIX_PORT": str(layout.database_socket)}
    daemons.start("slurmdbd", ["slurmdbd", "-D"], env)
    daemons.wait_until(
        layout.pid_file("slurmdbd").exists, "slurmdbd is not there", _READY_LIMIT_S, "slurmdbd"
    )
    daemons.wait_until(
        lambda: _answers(daemons, "list", "cluster"), "slurmdbd does not answer", _READY_LIMIT_S, "slurmdbd"
    )
    _manage(daemons, "add", "cluster", CLUSTER)
    if accounts:
        _manage(daemons, "add", "account", ",".join(accounts))
        _manage(daemons, "add", "user", layout.user, f"account={','.join(accounts)}")
        _manage(daemons, "modify", "user", layout.user, "set", f"defaultaccount={accounts[0]}")


def _start_database(daemons: Daemons, layout: Layout) -> None:
    common = ["--no-defaults", f"--datadir={layout.folder / 'mariadb'}"]
    if layout.user == "root":
        common.append("--user=root")  # which root has to ask for
    install = ["mariadb-install-db", *common, "--skip-test-db", "--skip-name-resolve"]
    install += ["--auth-root-authentication-method=socket", f"--auth-root-socket-user={layout.user}"]
    done = daemons.run(*install, limit_s=_INSTALL_LIMIT_S)
    if done.exit_code != 0:
        raise StackError(f"mariadb-install-db failed:\n{(done.stdout + done.stderr)[-2000:]}")
    socket = layout.database_socket
    daemons.start("mariadbd", ["mariadbd", *common, "--skip-networking", f"--socket={socket}"])
    daemons.wait_until(socket.exists, "MariaDB is not there", _READY_LIMIT_S, "mariadbd")


def _answers(daemons: Daemons, *words: str) -> bool:
    return daemons.run("sacctmgr", "-n", *words, limit_s=_COMMAND_LIMIT_S).exit_code == 0


def _manage(daemons: Daemons, *words: str) -> None:
    done = daemons.run("sacctmgr", "-i", *words, limit_s=_COMMAND_LIMIT_S)
    if done.exit_code != 0:
        raise StackError(f"sacctmgr {' '.join(words)} failed: {(done.stderr or done.stdout).strip()}")
