"""DAGs about XComs, mapped tasks and Variables."""

from datetime import UTC, datetime, timedelta

from airflow import DAG
from airflow.providers.common.compat.sdk import Variable, task
from contract_parts import Act, Defer

START = datetime(2024, 1, 1, tzinfo=UTC)
VALUES = {
    "text": "é\n\"'",
    "number": 7,
    "fraction": 0.1,
    "truth": False,
    "empty_text": "",
    "zero": 0,
    "empty_list": [],
    "list": [1, "two", None, [3.0]],
    "object": {"a": {"b": [True]}},
    "number_keys": {1: "one"},
    "tuple": (1, 2),
    "nested_tuple": {"a": [(1, 2)]},
    "set": {5},
    "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "how_long": timedelta(minutes=5),
    "bytes": b"\x00\xff",
    "surrogate": "caf\udce9",
    "nan": float("nan"),
    "infinite": [float("inf")],
    "nothing_like_it": object,
}

with DAG("c_values", schedule=None, start_date=START):

    @task
    def give(value):
        """Return the value of a name: here, so that no DAG file holds odd values."""
        return VALUES[value]

    @task(trigger_rule="all_done")
    def take(ti=None):
        """Return what one sees of them."""
        seen = {name: ti.xcom_pull(task_ids=f"give_{name}") for name in VALUES}
        return {name: repr(value) for name, value in seen.items()}

    end = take()
    for name in VALUES:
        give.override(task_id=f"give_{name}")(name) >> end

with DAG("c_pulls", schedule=None, start_date=START):

    class Pull(Act):
        """Pulls in all ways."""

        def execute(self, context):
            """Return what comes."""
            ti = context["ti"]
            return {
                "returned": ti.xcom_pull(task_ids="a"),
                "by_key": ti.xcom_pull(task_ids="a", key="try1"),
                "several": list(ti.xcom_pull(task_ids=["a", "b"])),
                "nobody": ti.xcom_pull(task_ids="nobody"),
                "default": ti.xcom_pull(task_ids="b", key="nothing", default="d"),
                "mapped": list(ti.xcom_pull(task_ids="m")),
                "one_of_mapped": ti.xcom_pull(task_ids="m", map_indexes=1),
                "own": ti.xcom_pull(task_ids="pull"),
            }

    before = [Act(task_id="a", value="from {{ ti.task_id }} in {{ run_id[:6] }}"), Act(task_id="b", value=2)]
    mapped = Act.partial(task_id="m").expand(value=["x", "y", "z"])
    [*before, mapped] >> Pull(task_id="pull")
    Act(task_id="not_pushed", value=1, do_xcom_push=False)

with DAG("c_taskflow", schedule=None, start_date=START):

    @task
    def one():
        """Return a number."""
        return 1

    @task(multiple_outputs=True)
    def two(number):
        """Return several."""
        return {"x": number, "y": number + 1}

    @task
    def several(first, then):
        """Return a list."""
        return [first, then]

    @task
    def add(a, b=0):
        """Return a sum."""
        return a + b

    @task
    def total(numbers):
        """Return the sum of all."""
        return sum(numbers)

    @task(retries=1, retry_delay=timedelta(seconds=5))
    def second(ti=None):
        """Succeed in the second try."""
        if ti.try_number == 1:
            raise ValueError
        return ti.try_number

    pair = two(one())
    added = add.partial(b=pair["x"]).expand(a=several(pair["x"], pair["y"]))
    total(added)
    add.override(task_id="add_again").expand(a=added)
    second()

with DAG("c_variables", schedule=None, start_date=START):

    @task
    def put():
        """Store two Variables, one of them twice."""
        Variable.set("c_text", "first")
        Variable.set("c_text", "é\n\"'")
        Variable.set("c_object", {"a": [1, "two"]}, serialize_json=True)

    @task
    def get():
        """Return both as they are found, and what stands in for one that is not there."""
        found = Variable.get("c_object", deserialize_json=True)
        return [Variable.get("c_text"), found, Variable.get("c_none", "instead")]

    @task
    def miss():
        """Ask for one that is not there."""
        return Variable.get("c_none")

    @task(trigger_rule="all_done")
    def delete():
        """Remove them, and look."""
        for key in ("c_text", "c_object"):
            Variable.delete(key)
        return [Variable.get(key, "gone") for key in ("c_text", "c_object")]

    put() >> [get(), miss()] >> delete()

with DAG("c_mapped", schedule=None, start_date=START, default_args={"retry_delay": timedelta(seconds=5)}):
    numbers = Act(task_id="numbers", value=[3, 1, 2])
    pairs = Act(task_id="pairs", value={"p": 1, "q": 2})
    nothing = Act(task_id="nothing", value=[])
    none = Act(task_id="none")
    text = Act(task_id="text", value="text")
    broken = Act(task_id="broken", script="fail", value=[1])
    Act.partial(task_id="literals").expand(value=["a", "b", "c"])
    Act.partial(task_id="product").expand(value=["a", "b"], script=["succeed", "skip", "fail"])
    Act.partial(task_id="rows").expand_kwargs(
        [{"value": 1}, {"script": "fail"}, {"value": 3, "script": "skip"}]
    )
    of_numbers = Act.partial(task_id="of_numbers").expand(value=numbers.output)
    Act.partial(task_id="of_both").expand(value=numbers.output, script=["succeed", "fail"])
    Act.partial(task_id="of_pairs").expand(value=pairs.output)
    Act.partial(task_id="of_literal_pairs").expand(value={"p": 1, "q": 2})
    Act.partial(task_id="of_mapped").expand(value=of_numbers.output)
    empty = Act.partial(task_id="empty").expand(value=[])
    of_nothing = Act.partial(task_id="of_nothing").expand(value=nothing.output)
    Act.partial(task_id="of_empty").expand(value=of_nothing.output)
    Act.partial(task_id="of_none").expand(value=none.output)
    Act.partial(task_id="of_text").expand(value=text.output)
    of_broken = Act.partial(task_id="of_broken").expand(value=broken.output)
    [empty, of_nothing] >> Act(task_id="behind_empty")
    of_broken >> Act(task_id="behind_broken", trigger_rule="all_done")
    parts = Act.partial(task_id="parts", retries=1).expand(
        script=[["succeed"], ["fail", "succeed"], ["fail"], ["skip"]]
    )
    parts >> [
        Act(task_id="behind_parts"),
        Act(task_id="whatever_parts", trigger_rule="all_done"),
        Act(task_id="one_of_parts", trigger_rule="one_success"),
    ]
    Act.partial(task_id="late", trigger_rule="all_done").expand(value=[1, 2]) << parts

with DAG("c_deferred", schedule=None, start_date=START, default_args={"retry_delay": timedelta(seconds=5)}):
    Defer(task_id="event") >> Act(task_id="behind")
    Defer(task_id="fails_then", then="fail", retries=1)
    Defer(task_id="again", then="again")
    Defer.partial(task_id="several").expand(seconds=[3.0, 1.0])
