"""Tasks that are programs of others."""

import os
import shlex
import sys

from lute.errors import LuteError
from lute.tasks.argv import render_argv
from lute.tasks.base import Task
from lute.tasks.models.base import ThirdPartyParameters
from lute.tasks.result import TaskResult

COMMAND_LINE = "command line: "
"""So begins the line above the program's own output."""


class ThirdPartyTask(Task[ThirdPartyParameters]):
    """Becomes the program that its parameters describe: the exit code of that program is the result."""

    reports_result = False

    def run(self) -> TaskResult:
        """Replace this process by the program; return only by an exception.

        Raises:
            LuteError: the program cannot be started.
        """
        argv = render_argv(self.parameters)
        # To where the program will write, so that it stands above the program's own output.
        sys.stdout.write(f"{COMMAND_LINE}{' '.join(map(_quoted, argv))}\n")
        sys.stdout.flush()
        try:
            # The same process goes on, so that signals, exit code and usage need no messenger between.
            os.execvp(argv[0], argv)  # noqa: S606
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) else str(error)
            raise LuteError(
                f"the program '{argv[0]}' cannot be started: {cause}",
                next_step="check the parameter 'executable' and the PATH",
            ) from error


def _quoted(word: str) -> str:
    """Return a word as bash reads it, on one line."""
    if not any(char in word for char in "\n\r"):
        return shlex.quote(word)
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"}
    return "$'" + "".join(escapes.get(char, char) for char in word) + "'"
