#!/usr/bin/env -S python3 -I -S
"""The commands of the fake Slurm: each is a link to this file, and asks the controller to do its work.

Alone in its kind: it imports nothing of the project and only what starts fast, because scripts call it often.

Environment:
    LUTE_SIM_SLURM_SOCKET: the controller's socket.
    LUTE_SIM_SLURM_CONNECT_WAIT_S: how long to wait for it, in seconds; 9, as real clients do (measured).
"""

from __future__ import annotations

import json
import os
import sys
import time
from _socket import AF_UNIX, MSG_NOSIGNAL, SHUT_WR, SOCK_STREAM
from _socket import socket as Socket  # noqa: N812
from signal import SIG_DFL, SIGINT, SIGPIPE, signal

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes longer than all the rest
    from collections.abc import Sequence
    from typing import Any

DEFAULT_WAIT_S = 9.0
NO_CONTACT = "Unable to contact slurm controller (connect failure)"
STARS = "*" * 41 + "\n"
NO_REPLY = "Socket timed out on send/recv operation"


def ask(request: dict[str, Any], path: str, wait_s: float) -> dict[str, Any] | None:
    """Return the controller's reply; None if nobody listens after `wait_s` seconds, {} if no reply came."""
    connection = connect(path, wait_s)
    if connection is None:
        return None
    parts = []
    try:
        # SIGPIPE is for standard output: a controller that dies meanwhile is to be told of.
        connection.sendall(json.dumps(request).encode(), MSG_NOSIGNAL)
        connection.shutdown(SHUT_WR)
        while part := connection.recv(1 << 16):
            parts.append(part)
        reply: dict[str, Any] = json.loads(b"".join(parts))
        return reply
    except (OSError, ValueError):
        return {}  # never ask again: the first request may have had its effect
    finally:
        connection.close()


def connect(path: str, wait_s: float) -> Socket | None:
    """Return a connection to the controller, None if there is none after `wait_s` seconds."""
    deadline = time.monotonic() + wait_s  # noqa: TID251
    while True:
        connection = Socket(AF_UNIX, SOCK_STREAM)
        try:
            connection.connect(path)
            return connection
        except OSError:
            connection.close()
        if time.monotonic() >= deadline:  # noqa: TID251
            return None
        time.sleep(0.1)  # noqa: TID251


def read(name: str) -> str | None:
    """Return the text of a script or of standard input (`-`), None if it cannot be read."""
    try:
        with open(0 if name == "-" else name, "rb", closefd=name != "-") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except IsADirectoryError:
        return ""  # measured: real sbatch calls a folder an empty script
    except (OSError, ValueError):
        return None


def failure(program: str, words: Sequence[str], problem: str) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of a client without a reply (measured)."""
    if program == "sbatch":
        return 1, "", f"sbatch: error: Batch job submission failed: {problem}\n"
    ids = [word for word in words if word.isdigit()]
    if program == "scancel" and ids:
        return 8, "", "".join(f"scancel: error: Kill job error on job id {i}: {problem}\n" for i in ids)
    if program == "scontrol" and "ping" in words:
        host = os.uname().nodename.partition(".")[0]
        banner = f"{STARS}** RESTORE SLURMCTLD DAEMON TO SERVICE **\n{STARS}" if os.getuid() == 0 else ""
        return 1, f"Slurmctld(primary) at {host} is DOWN\n{banner}", ""
    return 1, "", f"slurm_load_{'partitions' if program == 'sinfo' else 'jobs error'}: {problem}\n"


def write(descriptor: int, text: str) -> None:
    """Write all of `text`."""
    data = text.encode("utf-8", "surrogateescape")
    while data:
        data = data[os.write(descriptor, data) :]


def main() -> int:
    """Run the command by whose name this file was called; return its exit code."""
    program, words = sys.argv[0].rpartition("/")[2], sys.argv[1:]
    env = dict(os.environ)  # noqa: TID251
    path = env.get("LUTE_SIM_SLURM_SOCKET", "")
    try:
        wait_s = float(env.get("LUTE_SIM_SLURM_CONNECT_WAIT_S", DEFAULT_WAIT_S))
    except ValueError:
        wait_s = DEFAULT_WAIT_S
    if program == "scontrol" and "ping" in words:
        wait_s = 0.0
    request: dict[str, Any] = {"argv": [program, *words], "env": env, "cwd": os.getcwd()}  # noqa: PTH109
    request["umask"] = os.umask(0)
    os.umask(request["umask"])
    reply = ask(request, path, wait_s)
    if reply and reply["read"] is not None:
        request["has_input"], request["input"] = True, read(reply["read"])
        reply = ask(request, path, wait_s)
    if not reply:
        code, out, err = failure(program, words, NO_CONTACT if reply is None else NO_REPLY)
        write(1, out)
        write(2, err)
        return code
    write(1, reply["stdout"])
    write(2, reply["stderr"])
    if reply["wait_for"] is not None:
        reply = ask({"wait_for": reply["wait_for"]}, path, wait_s) or {"exit_code": 1}
    return int(reply["exit_code"])


if __name__ == "__main__":
    signal(SIGINT, SIG_DFL)
    signal(SIGPIPE, SIG_DFL)
    sys.exit(main())
