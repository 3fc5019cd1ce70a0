from collections.abc import Mapping
from pathlib import Path

import pytest

from lute.arp.kerberos import TicketCopy
from lute.errors import ConfigError
from lute.launch.process import Process
from lute.launch.tickets import own_tickets
from lute.seams import Runtime
from tests.fakes import fake_runtime


def test_the_copy_is_gone_whatever_happens(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    copy = TicketCopy(folder / "ccache")

    def make(_env: Mapping[str, str], _runtime: Runtime) -> TicketCopy:
        folder.mkdir()
        copy.path.write_bytes(b"")
        return copy

    process = Process({}, fake_runtime(), copy_tickets=make)
    with own_tickets(process, pytest.fail) as found:
        assert found == copy
    assert not folder.exists()
    with pytest.raises(KeyboardInterrupt), own_tickets(process, pytest.fail):
        raise KeyboardInterrupt
    assert not folder.exists()


def test_tickets_that_cannot_be_copied_are_told(tmp_path: Path) -> None:
    def refuse(_env: Mapping[str, str], _runtime: Runtime) -> TicketCopy:
        raise ConfigError("KCM:1000 cannot be copied", next_step="kinit")

    lines: list[str] = []
    with own_tickets(Process({}, fake_runtime(), copy_tickets=refuse), lines.append) as found:
        assert found is None
    assert lines == ["WARNING: KCM:1000 cannot be copied\n  next: kinit"]
