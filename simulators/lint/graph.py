"""The order of the steps."""

from collections.abc import Iterator

from simulators.lint.finding import Finding
from simulators.lint.source import Source
from simulators.lint.workflow import Step, Workflow

Links = dict[str, set[str]]


def check_graph(source: Source, workflow: Workflow) -> Iterator[Finding]:
    """Find cycles, steps that are linked to nothing, and steps that may get in each other's way."""
    links = workflow.links
    if links is None:
        return
    if cycle := find_cycle(links):
        said = f"these wait for each other: {' >> '.join(cycle)}"
        lines = [step.line for step in workflow.steps if step.task_id in cycle]
        yield source.finding("LUTE401", min(lines, default=workflow.line), said, "take one of the links out")
        return
    after = {task: reachable(links, task) for task in links}
    yield from _alone(source, workflow, links)
    by_task: dict[str, list[Step]] = {}
    for step in workflow.steps:
        for other in by_task.get(step.managed_task, []):
            if step.task_id not in after[other.task_id] and other.task_id not in after[step.task_id]:
                said = f"{other.task_id} and {step.task_id} run the same Task, in no order"
                instead = "link one behind the other with >>"
                yield source.finding("LUTE403", step.line, said, instead)
        by_task.setdefault(step.managed_task, []).append(step)


def find_cycle(links: Links) -> list[str]:
    """Return the tasks of one cycle, its first again at its end; nothing where there is none."""
    done: set[str] = set()
    for start in sorted(links):
        path: list[str] = [start]
        branches = [iter(sorted(links[start]))]
        while branches:
            task = next(branches[-1], None)
            if task is None:
                done.add(path.pop())
                branches.pop()
            elif task in path:
                return [*path[path.index(task) :], task]
            elif task not in done:
                path.append(task)
                branches.append(iter(sorted(links.get(task, ()))))
    return []


def reachable(links: Links, task: str) -> set[str]:
    """Return all that runs after a task."""
    found: set[str] = set()
    waiting = list(links[task])
    while waiting:
        after = waiting.pop()
        if after not in found:
            found.add(after)
            waiting += links.get(after, ())
    return found


def _alone(source: Source, workflow: Workflow, links: Links) -> Iterator[Finding]:
    followers = set().union(*links.values()) if links else set()
    if len(links) < 2:
        return
    for step in workflow.steps:
        if not links[step.task_id] and step.task_id not in followers:
            said = f"{step.task_id} is linked to no other step"
            yield source.finding(
                "LUTE402", step.line, said, f"first >> {step.managed_task.lower()}, if it is to wait"
            )
