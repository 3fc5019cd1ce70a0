"""Each Airflow answers each case as was measured."""

import pytest

from tests.contract.airflow_api.cases import CASES, Case
from tests.contract.airflow_api.conftest import Airflows
from tests.contract.airflow_api.legs import Leg, Real, Reply, Simulated
from tests.contract.airflow_api.shape import differences, shape


class Replies:
    """What each Airflow answered to each case: most of them can be asked but once."""

    def __init__(self) -> None:
        self._found: dict[tuple[type[Leg], str], list[Reply]] = {}

    def of(self, leg: Leg, case: Case) -> list[Reply]:
        """Return the replies to the steps of a case."""
        key = type(leg), case.name
        if key not in self._found:
            self._found[key] = [step.send(leg) for step in case.steps]
        return self._found[key]


@pytest.fixture(scope="package")
def replies() -> Replies:
    """Those of this session."""
    return Replies()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_answers_as_was_measured(airflow: Leg, replies: Replies, case: Case) -> None:
    for step, reply in zip(case.steps, replies.of(airflow, case), strict=True):
        step.check(reply, airflow.major)


@pytest.mark.served
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_answer_the_same(airflows: Airflows, replies: Replies, case: Case) -> None:
    """Down to every field, but for times, ids and names of the machine: of those, to their form."""
    simulated, real = airflows.get(Simulated), airflows.get(Real)
    told = []
    for step, one, other in zip(case.steps, replies.of(simulated, case), replies.of(real, case), strict=True):
        bodies = [None, None] if step.is_own else [shape(one.body), shape(other.body)]
        found = differences([one.status, one.kind, bodies[0]], [other.status, other.kind, bodies[1]])
        told += [f"{step.method} {step.path} {line}" for line in found]
    assert not told, "\n".join(told)
