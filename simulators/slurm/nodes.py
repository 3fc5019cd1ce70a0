"""What administrators and failures do to nodes and partitions."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulators.kernel.events import Event
from simulators.slurm.state import Cluster, Node, Partition

if TYPE_CHECKING:
    from simulators.slurm.controller import Controller

RETURN_S = 2.0
"""A node set down whose slurmd lives comes back by itself after so long (measured: under 3 s, with
ReturnToService=2)."""


class InvalidNodeStateError(Exception):
    """The node cannot go to that state from its own."""


class Nodes:
    """Changes the state of nodes and partitions.

    Args:
        controller: is told of failed nodes and of changes.

    Attributes:
        on_node: called with a node after each change of its state.
        on_partition: called with a partition after each change of its state.
    """

    def __init__(self, controller: "Controller") -> None:
        self.on_node: list[Callable[[Node], None]] = []
        self.on_partition: list[Callable[[Partition], None]] = []
        self._controller = controller
        self._returns: dict[int, Event] = {}

    @property
    def _cluster(self) -> Cluster:
        return self._controller.cluster

    def drain(self, node: Node, reason: str) -> None:
        """Start no more jobs on `node`; those that run go on."""
        self._set(node, "DRAIN", reason)

    def down(self, node: Node, reason: str) -> None:
        """Take `node` out of service, as an administrator; its jobs fail. It comes back by itself."""
        self.fail(node, reason, responding=True)
        self._returns[node.index] = self._controller.agenda.after(RETURN_S, lambda: self._come_back(node))

    def fail(self, node: Node, reason: str = "Not responding", *, responding: bool = False) -> None:
        """Take `node` out of service until `resume`, as when it dies; its jobs fail or are requeued."""
        node.responding = responding
        self._set(node, "DOWN", reason)
        self._controller.node_failed(node.index)

    def resume(self, node: Node) -> None:
        """Put `node` back into service.

        Raises:
            InvalidNodeStateError: it is in service.
        """
        if not node.admin:
            raise InvalidNodeStateError(node.name)
        node.responding = True
        self._set(node, "", "")

    def set_partition(self, name: str, state: str) -> None:
        """Set a partition UP, DOWN, DRAIN or INACTIVE."""
        partition = self._cluster.partitions[name]
        partition.state = state
        for callback in self.on_partition:
            callback(partition)
        self._controller.life.changed()

    def _come_back(self, node: Node) -> None:
        self._set(node, "", "")

    def _set(self, node: Node, admin: str, reason: str) -> None:
        if returning := self._returns.pop(node.index, None):
            returning.cancel()
        node.admin, node.reason = admin, reason
        self._cluster.set_available(node)
        for callback in self.on_node:
            callback(node)
        self._controller.life.changed()


def node_state(cluster: Cluster, node: Node) -> str:
    """Return the state in sinfo's long word: `idle`, `mixed`, `allocated`, `drained`, `draining`, `down`."""
    if node.admin == "DOWN":
        return "down" if node.responding else "down*"
    free = cluster.pool.free[node.index]
    if node.admin == "DRAIN":
        return "drained" if free == node.cpus else "draining"
    return "idle" if free == node.cpus else "mixed" if free else "allocated"
