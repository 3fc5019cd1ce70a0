"""What tox checks before it installs anything: psana is compiled against the headers of Kerberos."""

import os
import shutil
import subprocess

from tox.plugin import impl
from tox.report import HandledError
from tox.tox_env.api import ToxEnv

_NEEDS_HEADERS = {"demo", "sfx"}
_INSTALL = ("apt-get", "install", "-y", "gcc", "libkrb5-dev")


@impl
def tox_on_install(tox_env: ToxEnv) -> None:
    """Install the headers where that is allowed, else say how to."""
    if tox_env.name not in _NEEDS_HEADERS or (shutil.which("krb5-config") and shutil.which("gcc")):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run([*_INSTALL, "-qq"], env=env, check=False).returncode == 0:
            return
    raise HandledError(
        f"psana needs a C compiler and the headers of Kerberos. First run: sudo {' '.join(_INSTALL)}\n"
        "(other systems: gcc, and krb5-devel or krb5). Without psana: tox -e quick"
    )
