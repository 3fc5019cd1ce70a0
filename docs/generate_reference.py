"""Write the reference pages from the code: `python docs/generate_reference.py`."""

import argparse
import ast
import functools
import inspect
import sys
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from lute.io.header import Header  # noqa: E402
from lute.managed_tasks import MANAGED_TASKS  # noqa: E402
from lute.settings import Settings  # noqa: E402
from lute.tasks.describe import describe, describe_default, describe_type, summary  # noqa: E402
from lute.tasks.registry import TASKS  # noqa: E402

_NOTE = "<!-- made by docs/generate_reference.py -->\n\n"
_FROM_HERE = "<!-- what follows is made by docs/generate_reference.py -->\n"


def pages() -> dict[str, str]:
    """Return the text of each generated page, by file name."""
    return {
        "reference_tasks.md": _NOTE + _tasks(),
        "reference_site.md": _NOTE + _site(),
        "reference_commands.md": _NOTE + _commands(),
        "lint_dag.md": _kept("lint_dag.md") + _codes(),
        "scenarios.md": _kept("scenarios.md") + _faults() + _scenarios(),
    }


def _tasks() -> str:
    text = "# Tasks and parameters\n\n`python -m lute.help -t NAME` tells the same of one Task.\n\n"
    text += "| managed Task | Task |\n|---|---|\n"
    text += "".join(f"| {managed.name} | {managed.task} |\n" for managed in MANAGED_TASKS.values())
    text += "\n## Header\n\n" + _table(Header)
    for task in TASKS.values():
        text += f"\n## {task.name}\n\n{summary(task)}\n\n{_table(task.parameters_class())}"
    return text


def _table(model: type[BaseModel]) -> str:
    text = "| parameter | type | unit | default | meaning |\n|---|---|---|---|---|\n"
    for found in describe(model):
        default = f"`{found.default}`" if found.is_value else found.default
        cells = (found.name, found.type, found.unit, default, found.meaning)
        text += "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
    return text


def _site() -> str:
    text = "# Site files\n\nA site is `config/sites/NAME.toml`. `name` is the file's own name.\n\n"
    text += "| key | type | default | meaning |\n|---|---|---|---|\n"
    meanings = _meanings(Settings)
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            inner_meanings = _meanings(section)
            for key, inner in section.model_fields.items():
                text += _site_row(f"[{name}] {key}", inner, inner_meanings[key])
        elif name != "name":
            text += _site_row(name, field, meanings[name])
    return text


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return the sentences that stand below the fields of a class."""
    (found,) = (node for node in ast.parse(inspect.getsource(model)).body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in pairwise(found.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def _site_row(key: str, field: FieldInfo, meaning: str) -> str:
    cells = (key, describe_type(field.annotation), _default(field))
    return "| " + " | ".join(cells) + f" | {meaning} |\n"


def _default(field: FieldInfo) -> str:
    default, is_value = describe_default(field)
    return f"`{default}`" if is_value else default


def _commands() -> str:
    from typer.testing import CliRunner

    from lute.launch.arguments import launch_parser
    from simulators.cli import app

    launcher = launch_parser()
    launcher.formatter_class = functools.partial(argparse.HelpFormatter, width=100)  # type: ignore[assignment]
    text = f"# Commands\n\n## launch_airflow.py\n\n```\n{launcher.format_help()}```\n"
    runner = CliRunner(env={"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"})
    for words in ([], ["serve"], ["env"], ["demo"], ["lint-dag"], ["differ"], ["bench"], ["bench", "slurm"]):
        shown = runner.invoke(app, [*words, "--help"], prog_name="lute-sim").stdout.strip()
        lines = "\n".join(line.rstrip() for line in shown.splitlines())
        text += f"\n## lute-sim {' '.join(words)}".rstrip() + f"\n\n```\n{lines}\n```\n"
    return text


def _kept(name: str) -> str:
    """Return what is written by hand at the beginning of a page."""
    return (DOCS / name).read_text(encoding="utf-8").partition(_FROM_HERE)[0] + _FROM_HERE


def _codes() -> str:
    from simulators.lint.codes import CODES

    text = "\n| code | severity | found | what happens because of it |\n|---|---|---|---|\n"
    for code in CODES.values():
        text += f"| `{code.name}` | {code.severity} | {code.title} | {code.why} |\n"
    return text


def _faults() -> str:
    from simulators.faults.kinds import KINDS
    from simulators.faults.model import ExchangeFault, SetupFault, WorldFault

    text = "\n## Faults\n\n| what | where | meaning | its own fields |\n|---|---|---|---|\n"
    for name, kind in sorted(KINDS.items()):
        base = next(base for base in (ExchangeFault, WorldFault, SetupFault) if issubclass(kind, base))
        shared = {field: found.default for field, found in base.model_fields.items()}
        own = [
            f"`{field}` ({_default(found)})"
            for field, found in kind.model_fields.items()
            if field != "what" and (field not in shared or shared[field] != found.default)
        ]
        places = ", ".join(f"`{place}`" for place in kind.places)
        text += f"| `{name}` | {places} | {(kind.__doc__ or '').strip()} | {', '.join(own)} |\n"
    return text


def _scenarios() -> str:
    from simulators.scenario.catalogue import library

    text = "\n## The library\n\n| scenario | what happens | where it was seen |\n|---|---|---|\n"
    for name, scenario in library().items():
        about = scenario.about
        if scenario.airflow:
            about += f" (Airflow {scenario.airflow} only.)"
        if scenario.xfail:
            about += f" **Not survived yet:** {scenario.xfail}."
        text += f"| `{name}` | {about} | {scenario.seen} |\n"
    return text


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
