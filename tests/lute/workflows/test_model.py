"""A workflow as a value."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.errors import ConfigError
from lute.workflows.model import Step, StepSettings, Workflow, find_circle, parse_workflow

DIAMOND = Workflow(
    title='ca\nf"é',
    steps=(
        Step(task_id="d"),
        Step(task_id="a", next=("b", "c")),
        Step(task_id="b", next=("d",), settings=StepSettings(max_cores=3)),
        Step(task_id="c", next=("d",), settings=StepSettings(slurm_params="--mem=4G", retries=0)),
    ),
)


def test_it_comes_out_of_json_as_it_went_in() -> None:
    assert parse_workflow(DIAMOND.to_json()) == DIAMOND


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '{"steps": []}',
        '{"steps": [{"task_id": "a"}], "bogus": 1}',
        '{"steps": [{"task_id": "a", "next": ["b"]}]}',
        '{"steps": [{"task_id": "a"}, {"task_id": "a"}]}',
        '{"steps": [{"task_id": "a", "next": ["a"]}]}',
        '{"steps": [{"task_id": "a", "settings": {"max_cores": 0}}]}',
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no workflow: "):
        parse_workflow(text)


def test_each_step_stands_behind_all_before_it() -> None:
    names = [step.task_id for step in DIAMOND.in_order]
    assert names == ["a", "b", "c", "d"]
    assert [step.task_id for step in DIAMOND.before("d")] == ["a", "b", "c"]
    assert DIAMOND.before("a") == []


def test_the_managed_task_is_what_stands_behind_the_id() -> None:
    assert Step(task_id="again.Tester").managed_task == "Tester"
    assert Step(task_id="Tester").managed_task == "Tester"


@given(st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=4), max_size=8))
def test_a_circle_is_found_if_and_only_if_there_is_one(drawn: dict[int, list[int]]) -> None:
    links = {str(name): [str(other) for other in behind if other in drawn] for name, behind in drawn.items()}
    circle = find_circle(links)
    for name, following in itertools.pairwise(circle):
        assert following in links[name]
    if circle:
        assert circle[0] == circle[-1]
        assert len(circle) > 1
        return
    # Without one, taking away again and again what has nothing behind it leaves nothing.
    left = {name: set(behind) for name, behind in links.items()}
    while left:
        ends = {name for name, behind in left.items() if not behind & set(left)}
        assert ends
        left = {name: behind for name, behind in left.items() if name not in ends}


def test_a_long_chain_is_no_matter_of_depth() -> None:
    links = {str(number): [str(number + 1)] for number in range(5000)} | {"5000": []}
    assert find_circle(links) == []
    assert len(find_circle(links | {"5000": ["0"]})) == 5002
