"""Letting the faults of one run happen."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from simulators.faults.model import ExchangeFault, Fault, Moment, SetupFault, WorldFault
from simulators.net.exchange import Exchange

if TYPE_CHECKING:
    from simulators.facility import Facility


@dataclass
class Struck:
    """Whom a world fault concerns.

    Attributes:
        task: label of the task, None if it waits for no task.
        job_id: the task's last Slurm job, None if it has none.
    """

    task: str | None
    job_id: int | None


class Plan:
    """The faults of one run, and how often each has acted.

    Attributes:
        acted: how often each fault acted, by its position.
    """

    def __init__(self, faults: "list[Fault]", world: "Facility") -> None:
        self.faults = faults
        self.acted: Counter[int] = Counter()
        self._world = world
        self._draw = world.seeds.stream("faults")
        self._seen: Counter[int] = Counter()
        self._reached: Counter[tuple[str, Moment]] = Counter()
        self._by_endpoint: dict[str, list[tuple[int, ExchangeFault]]] = {}
        self._waiting = {
            index: fault
            for index, fault in enumerate(faults)
            if isinstance(fault, WorldFault) and fault.after is not None
        }

    @property
    def idle(self) -> list[Fault]:
        """The faults that never acted: they prove nothing."""
        return [fault for index, fault in enumerate(self.faults) if not self.acted[index]]

    def begin(self) -> None:
        """Set up what holds from the beginning, and plan what strikes at known times."""
        for index, fault in enumerate(self.faults):
            if isinstance(fault, SetupFault):
                self._note(index, fault, fault.set_up(self._world))
            elif isinstance(fault, WorldFault) and fault.at_s is not None:
                self._plan_strike(index, fault, fault.at_s)

    def add(self, fault: Fault) -> None:
        """Take up one more fault in the middle of a run; its times and counts are from now on.

        It is kept as a scenario would have to say it. What strikes now strikes within this call.

        Raises:
            ValueError: it would have to hold from the beginning.
        """
        if isinstance(fault, SetupFault):
            raise ValueError(f"{fault.what} holds from the beginning of a world: the scenario must say it")
        now_s = self._world.agenda.now_s - self._world.start_s
        index = len(self.faults)
        if isinstance(fault, ExchangeFault):
            fault = fault.model_copy(update={"at_s": now_s + fault.at_s})
        elif isinstance(fault, WorldFault) and fault.after is not None:
            past = self._reached[fault.task or "*", fault.after]
            fault = self._waiting[index] = fault.model_copy(update={"nth": fault.nth + past})
        elif isinstance(fault, WorldFault):
            wait_s = fault.at_s or 0.0
            fault = fault.model_copy(update={"at_s": now_s + wait_s})
            if wait_s:
                self._plan_strike(index, fault, now_s + wait_s)
        self.faults.append(fault)
        self._by_endpoint.clear()
        if isinstance(fault, WorldFault) and fault.at_s == now_s:
            self._strike(index, fault, None)

    def before(self, exchange: Exchange) -> None:
        """Let faults act on a request about to be sent."""
        matching = self._by_endpoint.get(exchange.endpoint)
        if matching is None:
            matching = self._by_endpoint[exchange.endpoint] = [
                (index, fault)
                for index, fault in enumerate(self.faults)
                if isinstance(fault, ExchangeFault) and fnmatchcase(exchange.endpoint, fault.where)
            ]
        for index, fault in matching:
            if self._hits(index, fault, exchange):
                exchange.faults.append(index)
                if fault.before(exchange, self._world):
                    self._note(index, fault, exchange.endpoint, target=exchange.client)

    def after(self, exchange: Exchange) -> None:
        """Let the same faults act on the reply."""
        for index in exchange.faults:
            fault = self.faults[index]
            if isinstance(fault, ExchangeFault) and fault.after(exchange, self._world):
                self._note(index, fault, exchange.endpoint, target=exchange.client)

    def reached(self, task: str, moment: Moment, job_id: int | None) -> None:
        """Note that a task got somewhere; faults that waited for it strike."""
        label = task.partition("#")[0]
        for name in {task: None, label: None, "*": None}:
            self._reached[name, moment] += 1
        for index, fault in list(self._waiting.items()):
            if fault.after is not moment or fault.task not in (None, task, label):
                continue
            if self._reached[fault.task or "*", moment] == fault.nth:
                del self._waiting[index]
                self._world.agenda.after(
                    fault.delay_s,
                    lambda index=index, fault=fault: self._strike(  # type: ignore[misc]
                        index, fault, Struck(task, job_id or self._world.last_job(task))
                    ),
                )

    def _plan_strike(self, index: int, fault: WorldFault, at_s: float) -> None:
        self._world.agenda.at(self._world.start_s + at_s, lambda: self._strike(index, fault, None))

    def _hits(self, index: int, fault: ExchangeFault, exchange: Exchange) -> bool:
        """Decide whether a fault acts on a request about to be sent."""
        now_s = self._world.agenda.now_s - self._world.start_s
        if now_s < fault.at_s or (fault.for_s is not None and now_s >= fault.at_s + fault.for_s):
            return False
        client = exchange.client
        if fault.task not in (None, client) and fault.task != client.partition("#")[0]:
            return False
        if fault.probability < 1 and self._draw.random() >= fault.probability:
            return False
        self._seen[index] += 1
        past = self._seen[index] - fault.call
        return past >= 0 and (fault.calls is None or fault.for_s is not None or past < fault.calls)

    def _strike(self, index: int, fault: WorldFault, target: Struck | None) -> None:
        task = fault.task
        struck = target or Struck(task, None if task is None else self._world.last_job(task))
        said = fault.strike(self._world, struck)
        if said is not None:
            self._note(index, fault, said, target=struck.task)

    def _note(self, index: int, fault: Fault, detail: str, target: str | None = None) -> None:
        """Note that a fault acted: the first time as a fault, and if it lasts, later as hits, and its end."""
        self.acted[index] += 1
        lasts_s = getattr(fault, "for_s", None)
        again = lasts_s is not None and self.acted[index] > 1
        told = {"where": fault.where, "what": fault.what, "target": target, "detail": detail}
        self._trace("hit" if again else "fault", told)
        if lasts_s is not None and not again:
            begin_s = self._world.agenda.now_s
            if isinstance(fault, ExchangeFault):
                begin_s = self._world.start_s + fault.at_s
            end_s = max(begin_s + lasts_s, self._world.agenda.now_s)
            self._world.agenda.at(end_s, lambda: self._trace("fault_end", told))

    def _trace(self, event: str, told: Mapping[str, object]) -> None:
        self._world.trace.note(self._world.agenda.now_s, "faults", event, **told)
