"""Mapped tasks: their elements and what happens to them."""

from types import SimpleNamespace
from typing import Any

import pytest

from simulators.dagrunner.expansion import NotYet, elements
from simulators.dagrunner.load import NotSimulatedError
from tests.simulators.dagrunner.running import BOTH, NewAirflow, new_airflow, only, states

__all__ = ["new_airflow"]


def mapped(value: Any) -> Any:
    return SimpleNamespace(task_id="t", _get_specified_expand_input=lambda: SimpleNamespace(value=value))


def no_xcom(task_id: str, key: str) -> Any:
    raise AssertionError("nothing is to be pulled")


def test_several_arguments_make_all_combinations_and_the_last_varies_fastest() -> None:
    found = elements(mapped({"x": [1, 2], "y": ["a", "b", "c"]}), no_xcom)
    assert [(row["x"], row["y"]) for row in found] == [
        (1, "a"),
        (1, "b"),
        (1, "c"),
        (2, "a"),
        (2, "b"),
        (2, "c"),
    ]


def test_a_dictionary_gives_pairs() -> None:
    assert elements(mapped({"x": {"p": 1, "q": 2}}), no_xcom) == [{"x": ("p", 1)}, {"x": ("q", 2)}]


def test_rows_of_arguments_are_taken_as_they_are() -> None:
    rows = [{"x": 1}, {"y": 2}]
    assert elements(mapped(rows), no_xcom) == rows


def test_one_empty_argument_leaves_no_element() -> None:
    assert elements(mapped({"x": [1, 2], "y": []}), no_xcom) == []


@pytest.mark.parametrize("value", [7, "text", object()])
def test_what_cannot_be_mapped_over_is_refused(value: object) -> None:
    with pytest.raises(NotSimulatedError, match=r"t: mapping over"):
        elements(mapped({"x": value}), no_xcom)


@BOTH
def test_an_xcom_of_the_same_run_is_mapped_over(conf: object, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
from_ = Act(task_id="from_", value=["a", "b", "c"])
to = Act.partial(task_id="to").expand(value=from_.output)
to >> Act(task_id="behind")
""",
        conf=conf,
    )
    run = airflow.run()
    assert states(run) == dict.fromkeys(["from_", "to[0]", "to[1]", "to[2]", "behind"], "success")
    assert [only(run, f"to[{index}]").xcoms["return_value"] for index in range(3)] == ["a", "b", "c"]
    assert airflow.times("behind", "running")[0] > max(airflow.times("to[2]", "success"))


@BOTH
def test_elements_are_tried_again_one_by_one(conf: object, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        "Act.partial(task_id='to', retries=1).expand(script=[['succeed'], ['fail', 'succeed'], ['fail']])",
        conf=conf,
    )
    run = airflow.run()
    assert states(run) == {"to[0]": "success", "to[1]": "success", "to[2]": "failed"}
    assert [only(run, f"to[{index}]").try_number for index in range(3)] == [1, 2, 2]


@BOTH
def test_an_upstream_task_that_gives_nothing_to_map_over_fails(conf: object, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
for value in (None, "text", 7):
    giver = Act(task_id=f"gives_{value}", value=value)
    Act.partial(task_id=f"of_{value}").expand(value=giver.output)
""",
        conf=conf,
    )
    run = airflow.run()
    assert set(states(run).values()) == {"failed", "upstream_failed"}
    assert states(run)["gives_None"] == states(run)["gives_text"] == states(run)["gives_7"] == "failed"


def test_a_task_whose_xcom_is_not_there_yet_has_no_elements() -> None:
    from airflow.providers.common.compat.sdk import DAG, BaseOperator

    class Takes(BaseOperator):  # type: ignore[misc]
        def __init__(self, *, x: object = None, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    with DAG("x", schedule=None):
        giver = BaseOperator(task_id="giver")
        task = Takes.partial(task_id="t").expand(x=giver.output)
    with pytest.raises(NotYet):
        elements(task, lambda task_id, key: None)
    asked: list[tuple[str, str]] = []

    def xcom(task_id: str, key: str) -> list[str]:
        asked.append((task_id, key))
        return ["a"]

    assert elements(task, xcom) == [{"x": "a"}]
    assert asked == [("giver", "return_value")]
