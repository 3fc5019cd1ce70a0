"""Operators and a trigger that do what they are told, and note what happens to them."""

import asyncio
import os
import time
from datetime import timedelta

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    BaseOperator,
    Variable,
)
from airflow.triggers.base import BaseTrigger, TriggerEvent

from lute.seams import current_runtime

try:
    from airflow.sdk.exceptions import AirflowRescheduleException, AirflowTaskTerminated
except ImportError:
    from airflow.exceptions import AirflowRescheduleException, AirflowTaskTerminated

JOURNAL = []
"""What was noted in this process: (task, what)."""
POKES = {}


def note(task, what):
    """Note that something happened to a task; where the tasks are processes of their own, in a file."""
    JOURNAL.append((task, what))
    path = os.environ.get("LUTE_CONTRACT_JOURNAL")
    if path:
        with open(path, "a") as journal:
            journal.write(f"{time.time()} {task} {what}\n")


def label_of(ti):
    """Return the name by which the journal knows a task."""
    return ti.task_id if ti.map_index < 0 else f"{ti.task_id}[{ti.map_index}]"


class Act(BaseOperator):
    """Does one thing in each try; the last one in all further tries.

    Args:
        script: what: `succeed`, `fail`, ...
        value: what it returns if it succeeds.
    """

    template_fields = ("value",)

    def __init__(self, *, script=("succeed",), value=None, **kwargs):
        super().__init__(**kwargs)
        self.script = script
        self.value = value

    def execute(self, context):
        """Do it."""
        ti = context["ti"]
        self.journal_name = label_of(ti)
        words = [self.script] if isinstance(self.script, str) else list(self.script)
        word, _, more = words[min(ti.try_number, len(words)) - 1].partition(" ")
        note(self.journal_name, f"execute {ti.try_number} {word}")
        ti.xcom_push(key=f"try{ti.try_number}", value=word)
        return getattr(self, f"_{word}")(more)

    def on_kill(self):
        """Note it."""
        note(self.journal_name, "on_kill")

    def _succeed(self, _more):
        return self.value

    def _fail(self, _more):
        raise AirflowException("told to fail")

    def _error(self, _more):
        raise ValueError("told to fail otherwise")

    def _fail_for_good(self, _more):
        raise AirflowFailException("told to fail for good")

    def _skip(self, _more):
        raise AirflowSkipException("told to be skipped")

    def _exit(self, more):
        raise SystemExit(int(more) if more else None)

    def _terminated(self, _more):
        raise AirflowTaskTerminated("told to be terminated")

    def _sleep(self, more):
        clock = current_runtime().clock
        for _ in range(int(more)):
            clock.sleep(1.0)
        note(self.journal_name, "slept")

    def _reschedule(self, more):
        POKES[self.journal_name] = POKES.get(self.journal_name, 0) + 1
        if POKES[self.journal_name] % (int(more) + 1):
            raise AirflowRescheduleException(current_runtime().clock.now() + timedelta(seconds=5))


class Kill(Act):
    """Runs until it is ended, and does in `on_kill` what it is told.

    Args:
        kill: seconds for which `on_kill` waits, or `raise`.
    """

    def __init__(self, *, kill="0", **kwargs):
        super().__init__(**kwargs)
        self.kill = kill

    def execute(self, context):
        """Note each second, by the number of the try."""
        self.journal_name = label_of(context["ti"])
        number = context["ti"].try_number
        note(self.journal_name, f"execute {number}")
        clock = current_runtime().clock
        try:
            for _ in range(600):
                clock.sleep(1.0)
                if getattr(self, "is_killed", False):
                    note(self.journal_name, f"goes on {number}")
        except BaseException as error:
            note(self.journal_name, f"raises {type(error).__name__}")
            raise

    def on_kill(self):
        """Note it."""
        note(self.journal_name, "on_kill")
        self.is_killed = True
        if self.kill == "raise":
            raise RuntimeError("from on_kill")
        for _ in range(int(self.kill)):
            current_runtime().clock.sleep(1.0)
        note(self.journal_name, "on_kill ends")


class Tick(BaseTrigger):
    """Fires after some seconds; or ends otherwise.

    Args:
        mode: `event`, `nothing`, `error`; or `variable`: the event holds the Variable named as the task.
    """

    def __init__(self, label, seconds, mode):
        super().__init__()
        self.label, self.seconds, self.mode = label, seconds, mode

    def serialize(self):
        """Return what makes an equal one."""
        return "contract_parts.Tick", {"label": self.label, "seconds": self.seconds, "mode": self.mode}

    async def run(self):
        """Wait."""
        note(self.label, "trigger")
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            note(self.label, "trigger cancelled")
            raise
        if self.mode == "error":
            raise RuntimeError("told to fail")
        if self.mode == "event":
            yield TriggerEvent({"after": self.seconds})
        if self.mode == "variable":
            yield TriggerEvent({"after": Variable.get(self.label)})

    async def on_kill(self):
        """Note it; 3.3 calls it."""
        note(self.label, "trigger on_kill")

    async def cleanup(self):
        """Note it."""
        note(self.label, "trigger cleanup")


class Defer(BaseOperator):
    """Defers itself, and returns what the trigger gives."""

    def __init__(self, *, seconds=10.0, mode="event", limit_s=None, then=None, **kwargs):
        super().__init__(**kwargs)
        self.seconds, self.mode, self.limit_s, self.then = seconds, mode, limit_s, then

    def execute(self, context):
        """Defer."""
        label = label_of(context["ti"])
        note(label, f"execute {context['ti'].try_number}")
        context["ti"].xcom_push(key="before", value=label)
        self.defer(
            trigger=Tick(label, self.seconds, self.mode),
            method_name="execute_complete",
            timeout=None if self.limit_s is None else timedelta(seconds=self.limit_s),
        )

    def execute_complete(self, context, event):
        """Go on."""
        ti = context["ti"]
        note(label_of(ti), f"execute_complete {ti.try_number} {event}")
        if self.then == "fail":
            raise AirflowException("told to fail")
        if self.then == "again" and event["after"] == self.seconds:
            self.defer(trigger=Tick(label_of(ti), self.seconds + 1, "event"), method_name="execute_complete")
        return [event["after"], ti.xcom_pull(task_ids=ti.task_id, key="before", map_indexes=ti.map_index)]

    def on_kill(self):
        """Note it."""
        note(self.task_id, "on_kill")
