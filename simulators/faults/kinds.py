"""All kinds of faults."""

from typing import Annotated, Any

from pydantic.functional_validators import BeforeValidator

from lute.errors import did_you_mean
from simulators.faults import (  # noqa: F401 - importing them registers them
    airflow_parts,
    airflow_task,
    connection,
    http_error,
    launcher,
    log_file,
    malformed,
    slurm_controller,
    slurm_job,
    slurm_node,
    slurm_queue,
    status_reply,
    tokens,
)
from simulators.faults.model import Fault, fault

KINDS = fault.kinds
"""Kind -> class."""


def parse_fault(given: Any) -> Fault:
    """Return the fault that a mapping describes.

    Raises:
        ValueError: with the closest valid name, or with pydantic's report of the fields.
    """
    if isinstance(given, Fault):
        return given
    if not isinstance(given, dict) or "what" not in given:
        raise ValueError("a fault is a mapping with `what`")
    kind = KINDS.get(str(given["what"]))
    if kind is None:
        raise ValueError(f"unknown fault '{given['what']}': {did_you_mean(str(given['what']), KINDS)}")
    return kind.model_validate(given)


AnyFault = Annotated[Fault, BeforeValidator(parse_fault)]
