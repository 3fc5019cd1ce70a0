import os
import stat
import subprocess
from pathlib import Path

import pytest

from simulators.serve.components import StackError
from simulators.serve.ready import StackInfo, default_ready_file, read_ready_file

ENVIRONMENT = {"LUTE_SITE": "/tmp/a 'b' $c\n.toml", "Authorization": "Bearer s3cr3t"}


def info(pid: int) -> StackInfo:
    return StackInfo(pid, "http://a", "http://j", "/w", "/l", "/fake bin", ENVIRONMENT)


def test_the_ready_file_is_private_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "stack.json"
    info(os.getpid()).write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_ready_file(path) == info(os.getpid())
    assert list(path.parent.iterdir()) == [path]


def test_a_shell_gets_the_very_values(tmp_path: Path) -> None:
    script = info(1).exports() + '\nprintf "%s|%s|%s" "$LUTE_SITE" "$Authorization" "${PATH%%:*}"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{ENVIRONMENT['LUTE_SITE']}|Bearer s3cr3t|/fake bin"


def test_the_token_is_not_in_the_text_of_it() -> None:
    assert "s3cr3t" not in repr(info(1))


def test_no_stack_a_gone_stack_and_no_ready_file_at_all(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    with pytest.raises(StackError, match=r"no stack is running(?s:.*)lute-sim serve"):
        read_ready_file(path)
    info(2**22 + 1).write(path)  # beyond the largest process id that Linux gives
    with pytest.raises(StackError, match="is gone"):
        read_ready_file(path)
    for text in ("", "{}", "[]", '{"pid": 1, "more": 2}'):
        path.write_text(text)
        with pytest.raises(StackError, match="not the ready file"):
            read_ready_file(path)


def test_the_default_place_is_the_users_own() -> None:
    assert default_ready_file({"XDG_CACHE_HOME": "/c"}) == Path("/c/lute-sim/stack.json")
