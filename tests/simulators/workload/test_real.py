"""Without a real Slurm."""

from pathlib import Path

import pytest

from lute.errors import LuteError
from simulators.workload.mix import random_mix
from simulators.workload.real import run_on_real_slurm


def test_without_real_slurm_the_line_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("simulators.realslurm.programs._SYSTEM_FOLDERS", ())
    with pytest.raises(LuteError) as caught:
        run_on_real_slurm([random_mix(1)], tmp_path, lambda _text: None)
    assert caught.value.next_step == "apt-get install slurm-wlm munge"
