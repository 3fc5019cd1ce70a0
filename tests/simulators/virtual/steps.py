"""Operators and a trigger that run what a test gives them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from lute.operators._compat import BaseOperator

IN_TRIGGER: list[Callable[[], object]] = []
"""Called in the trigger after its wait."""
IN_OPERATOR: list[Callable[[], object]] = []
"""Called in the operator."""


class Wait(BaseTrigger):  # type: ignore[misc]
    """Waits for a while."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return how another process makes it."""
        return f"{__name__}.Wait", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait."""
        await asyncio.sleep(30)
        for call in IN_TRIGGER:
            call()
        yield TriggerEvent("waited")


class Deferring(BaseOperator):  # type: ignore[misc]
    """Waits in a trigger."""

    def execute(self, context: Any) -> None:
        """Hand over to the trigger."""
        self.defer(trigger=Wait(), method_name="go_on")

    def go_on(self, context: Any, event: str) -> str:
        """Return what the trigger said."""
        return event


class Told(BaseOperator):  # type: ignore[misc]
    """Does what it is told."""

    def execute(self, context: Any) -> None:
        """Do it."""
        for call in IN_OPERATOR:
            call()
