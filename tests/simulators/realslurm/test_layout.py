import os
import stat
import tempfile
from pathlib import Path

import pytest

from simulators.realslurm.layout import new_layout
from simulators.realslurm.munge import write_key
from simulators.realslurm.ports import free_ports
from simulators.serve.components import StackError

NODES = ["n1", "sdfampere001"]


def test_folders_are_private_and_each_node_has_a_port(tmp_path: Path) -> None:
    layout = new_layout(tmp_path / "s", NODES)
    for folder in (layout.folder, layout.run_dir, layout.spool_dir, layout.state_dir, layout.log_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    layout.remove_run_dir()
    ports = [layout.controller_port, layout.database_port, *layout.node_ports.values()]
    assert len(set(ports)) == 4
    assert list(layout.node_ports) == NODES


def test_sockets_of_a_short_folder_lie_in_it() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        layout = new_layout(Path(folder), NODES)
        assert layout.run_dir == Path(folder) / "run"
        layout.remove_run_dir()
        assert layout.run_dir.is_dir(), "it belongs to the folder"


def test_sockets_of_a_long_folder_lie_elsewhere_and_go_away(tmp_path: Path) -> None:
    layout = new_layout(tmp_path / ("x" * 80), NODES)
    longest = layout.spool_dir / NODES[1] / f"{NODES[1]}_4294967295.4294967295"
    assert len(os.fsencode(longest)) <= 107
    layout.remove_run_dir()
    assert not layout.run_dir.exists()


def test_a_folder_serves_once(tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").touch()
    with pytest.raises(StackError, match="holds the files of a private Slurm already"):
        new_layout(tmp_path, NODES)


def test_the_key_is_secret_and_new(tmp_path: Path) -> None:
    write_key(tmp_path / "a")
    write_key(tmp_path / "b")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o400
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_ports_differ_and_are_not_those_of_outgoing_connections() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(200)
    assert len(set(ports)) == 200
    assert max(ports) < max(first, 32_000)
