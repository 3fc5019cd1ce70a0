"""The arguments that a file gives to its steps, as far as Airflow would refuse them at import."""

import ast
from collections.abc import Iterator

from lute.errors import did_you_mean
from simulators.lint.airflow_names import (
    STEP_KEYWORDS_2,
    STEP_KEYWORDS_3,
    TRIGGER_RULES_2,
    TRIGGER_RULES_3,
    TRIGGER_RULES_BOTH,
)
from simulators.lint.finding import Finding
from simulators.lint.keywords import step_keywords
from simulators.lint.source import UNKNOWN, Source
from simulators.lint.workflow import OPERATOR, StepCall, step_calls


def check_step_calls(source: Source) -> Iterator[Finding]:
    """Find unknown keywords, missing task_ids and unknown trigger rules."""
    for call in step_calls(source):
        yield from _keywords(source, call)
        yield from _trigger_rule(source, call)


def _keywords(source: Source, call: StepCall) -> Iterator[Finding]:
    if call.node.args:
        said = f"{OPERATOR} takes no argument without a keyword"
        yield source.finding("LUTE301", call.node.args[0], said, f'{OPERATOR}(task_id="Tester", ...)')
    elif call.is_whole and "task_id" not in call.arguments and not call.has_more:
        yield source.finding(
            "LUTE301", call.node, "the step has no task_id", 'task_id="Tester", or another managed Task'
        )
    known = step_keywords()
    for name, value in call.arguments.items():
        if name in STEP_KEYWORDS_2:
            yield source.finding("LUTE105", value, f"Airflow 3 has no {name}=", STEP_KEYWORDS_2[name])
        elif name in STEP_KEYWORDS_3:
            yield source.finding("LUTE105", value, f"Airflow 2.11 has no {name}=", STEP_KEYWORDS_3[name])
        elif name not in known:
            said = f"{OPERATOR} has no argument {name}="
            yield source.finding("LUTE301", value, said, did_you_mean(name, known))


def _trigger_rule(source: Source, call: StepCall) -> Iterator[Finding]:
    node = call.arguments.get("trigger_rule")
    if node is None:
        return
    rule = _rule(source, node)
    if not isinstance(rule, str) or rule in TRIGGER_RULES_BOTH:
        return
    if rule in TRIGGER_RULES_2:
        yield source.finding(
            "LUTE309", node, f"Airflow 3 has no trigger rule '{rule}'", TRIGGER_RULES_2[rule]
        )
    elif rule in TRIGGER_RULES_3:
        yield source.finding(
            "LUTE309", node, f"Airflow 2.11 has no trigger rule '{rule}'", TRIGGER_RULES_3[rule]
        )
    else:
        hint = did_you_mean(rule, TRIGGER_RULES_BOTH)
        yield source.finding("LUTE309", node, f"there is no trigger rule '{rule}'", hint)


def _rule(source: Source, node: ast.expr) -> object:
    before, _, name = source.names.full(node).rpartition(".")
    return name.lower() if before.endswith("TriggerRule") else source.value(node) or UNKNOWN
