"""Imports that one of the two versions of Airflow, or today's LUTE, does not have."""

from collections.abc import Iterator

from lute.errors import did_you_mean
from simulators.lint.airflow_names import DEPRECATED, ONLY_3, REMOVED, entry
from simulators.lint.finding import Finding
from simulators.lint.keywords import operator_module
from simulators.lint.names import Imported
from simulators.lint.source import Source

OPERATORS = "lute.operators.jidoperators"
"""Where LUTE's operators lie."""

_TABLES = {"LUTE102": REMOVED, "LUTE103": DEPRECATED, "LUTE104": ONLY_3}
_SAID = {
    "LUTE102": "Airflow 3 has no {}",
    "LUTE103": "deprecated in Airflow 3: {}",
    "LUTE104": "Airflow 2.11 has no {}",
}


def check_imports(source: Source) -> Iterator[Finding]:
    """Find old imports; those with an alternative for the other version are none."""
    found: dict[tuple[int, str, str], list[Imported]] = {}
    for imported in source.names.imports:
        if imported.guarded:
            continue
        yield from _operators(source, imported)
        for code, table in _TABLES.items():
            if instead := entry(table, imported.full):
                found.setdefault((imported.node.lineno, code, instead), []).append(imported)
    for (line, code, instead), names in found.items():
        full = ", ".join(imported.full for imported in names)
        short = ", ".join(imported.full.rpartition(".")[2] for imported in names)
        yield source.finding(code, line, _SAID[code].format(full), instead.format(short))


def _operators(source: Source, imported: Imported) -> Iterator[Finding]:
    module, _, name = imported.full.rpartition(".")
    if name == "jidoperators":
        module, name = imported.full, ""
    if not module.endswith("jidoperators"):
        return
    if module != OPERATORS:
        said = f"{module} is not where LUTE's operators are"
        yield source.finding("LUTE106", imported.node, said, f"from {OPERATORS} import JIDSlurmOperator")
        return
    operators = operator_module()
    if name and name != "*" and not hasattr(operators, name):
        public = [
            known for known in vars(operators) if known.endswith("Operator") and known != "BaseOperator"
        ]
        yield source.finding(
            "LUTE107", imported.node, f"{OPERATORS} has no '{name}'", did_you_mean(name, public)
        )
