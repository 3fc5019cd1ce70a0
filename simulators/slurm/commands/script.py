"""Batch scripts: what sbatch checks in them, and their #SBATCH lines (measured)."""

import re
from collections.abc import Sequence

from lute.slurm.getopt import Given, OptionError, scan
from lute.slurm.options import SBATCH_OPTIONS
from simulators.slurm.commands.exchange import RefusalError, usage_error

MAX_BYTES = 4 * 1024 * 1024
"""Slurm's default max_script_size; longer scripts are refused (measured: about 4 MB)."""


def wrapped(command: str) -> str:
    """Return the script that `--wrap` makes."""
    return f"#!/bin/sh\n# This script was created by sbatch --wrap.\n\n{command}\n"


def check(script: str) -> None:
    """Refuse a text that sbatch would not take for a script."""
    if not script:
        raise RefusalError(1, "sbatch: error: Batch script is empty!\n")
    if not script.startswith("#!"):
        raise RefusalError(
            1,
            "sbatch: error: This does not look like a batch script.  The first\n"
            "sbatch: error: line must start with #! followed by the path to an interpreter.\n"
            "sbatch: error: For instance: #!/bin/sh\n",
        )
    if "\0" in script:
        raise RefusalError(
            1,
            "sbatch: error: The Slurm controller does not allow scripts that\n"
            "sbatch: error: contain a NULL character '\\0'.\n",
        )
    if "\r\n" in script:
        raise RefusalError(
            1,
            "sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n"
            "sbatch: error: instead of expected UNIX line breaks (\\n).\n",
        )


def directives(script: str, name: str) -> list[Given]:
    """Return the options of the #SBATCH lines, which stop counting at the first command.

    Args:
        name: how messages call the script.
    """
    given: list[Given] = []
    for number, line in enumerate(script.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        if not re.match(r"#SBATCH\s", line):
            continue
        tokens = _split(line[len("#SBATCH") :], name, number)
        given.extend(_options(tokens))
    return given


def _options(tokens: Sequence[str]) -> list[Given]:
    try:
        given, operands = scan(tokens, SBATCH_OPTIONS, stop_at_operand=True)
    except OptionError as error:
        raise RefusalError(255, usage_error("sbatch", error)) from None
    if operands:
        raise RefusalError(255, f"sbatch: error: Invalid directive found in batch script: {operands[0]}\n")
    return given


def _split(text: str, name: str, number: int) -> list[str]:
    """Split at blanks, honouring quotes and backslashes; `#` at the start of a word begins a comment."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    start = 0
    index = 0
    while index < len(text):
        char = text[index]
        if char == "\\" and quote != "'" and index + 1 < len(text):
            index += 1
            word = (word or "") + text[index]
        elif quote:
            if char == quote:
                quote = ""
            else:
                word = (word or "") + char
        elif char in "\"'":
            quote, start, word = char, index, word or ""
        elif char.isspace():
            if word is not None:
                words.append(word)
            word = None
        elif char == "#" and word is None:
            break
        else:
            word = (word or "") + char
        index += 1
    if quote:
        raise RefusalError(
            1, f"sbatch: fatal: {name}: line {number}: Unmatched `{quote}` in [ {text[start:]}]\n"
        )
    return words if word is None else [*words, word]
