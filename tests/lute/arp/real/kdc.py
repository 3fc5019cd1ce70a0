"""A real MIT KDC of our own on 127.0.0.1: its port, its database, its configuration; no root needed."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

REALM = "LUTE.TEST"
SERVICE = "HTTP/localhost"
USER = "scientist"
_PASSWORD = "not a secret"

_KRB5_CONF = """\
[libdefaults]
 default_realm = {realm}
 dns_lookup_realm = false
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 default_ccache_name = FILE:{folder}/users_cache
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[dbmodules]
 {realm} = {{
  db_library = db2
  database_name = {folder}/principal
 }}
[logging]
 kdc = FILE:{folder}/kdc.log
"""
_KDC_CONF = """\
[realms]
 {realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
  max_life = 10h
  max_renewable_life = 7d
 }}
"""
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def missing() -> str:
    """Return what is missing for a KDC, empty if nothing is."""
    absent = [
        name
        for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "klist")
        if not shutil.which(name, path=_SBIN)
    ]
    return ", ".join(absent)


class Kdc:
    """A running KDC with one user and one web service.

    Attributes:
        env: the variables with which programs use it, and no other Kerberos of this machine.
        users_cache: the user's default cache.
        keytab: the service's keys.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users_cache = folder / "users_cache"
        self.keytab = folder / "keytab"
        self.env = {
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "KRB5RCACHENAME": "none:",
            "LC_ALL": "C",
        }
        self._create()
        self._process = self._start()

    def stop(self) -> None:
        """End it and wait until it has ended."""
        self._process.terminate()
        self._process.wait(timeout=10)

    def kinit(self, *arguments: str, cache: Path | None = None) -> Path:
        """Get a ticket for the user, into his default cache unless another is given; return the cache."""
        cache = cache or self.users_cache
        self.run("kinit", "-c", f"FILE:{cache}", *arguments, USER, stdin=f"{_PASSWORD}\n")
        return cache

    def run(self, *argv: str, stdin: str = "") -> str:
        """Run a program of Kerberos and return what it prints."""
        done = subprocess.run(
            argv,
            env=os.environ | self.env | {"PATH": _SBIN},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout

    def _create(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        values = {"realm": REALM, "folder": self.folder, "port": port}
        (self.folder / "krb5.conf").write_text(_KRB5_CONF.format(**values))
        (self.folder / "kdc.conf").write_text(_KDC_CONF.format(**values))
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "not a secret either")
        for command in (
            f'addprinc -pw "{_PASSWORD}" {USER}',
            f"addprinc -randkey {SERVICE}",
            f"ktadd -k {self.keytab} {SERVICE}",
        ):
            self.run("kadmin.local", "-r", REALM, "-q", command)
        self.run("kadmin.local", "-r", REALM, "-q", f"modprinc -maxrenewlife 7d krbtgt/{REALM}@{REALM}")
        self._port = port

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [shutil.which("krb5kdc", path=_SBIN) or "krb5kdc", "-n", "-r", REALM],
            env=os.environ | self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(500):
            assert process.poll() is None, (self.folder / "kdc.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return process
            time.sleep(0.01)
        process.kill()
        raise AssertionError("the KDC does not answer")
