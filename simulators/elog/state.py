"""What the eLog remembers, and what it tells the world of changes."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lute.seams import Clock

Document = dict[str, Any]

TRIGGERS: Mapping[str, str] = {
    "MANUAL": "Manually triggered",
    "START_OF_RUN": "Start of a run",
    "END_OF_RUN": "End of a run",
    "FIRST_FILE_TRANSFERRED": "First file transfer",
    "ALL_FILES_TRANSFERRED": "All files transferred",
    "ALL_NONREC_FILES_TRANSFERRED": "All non-recorder files transferred",
    "RUN_PARAM_IS_VALUE": "Run table param has value",
}
"""When a workflow starts: the word in a definition, and what the eLog's pages call it."""

_STORED = str.maketrans({".": "\uff0e", "$": "\uff04"})
"""How the database keeps two characters that it does not take in keys."""


@dataclass
class Experiment:
    """One experiment; the documents in it are as JSON shows them.

    Attributes:
        posters, readers: users with that privilege; who may post may read.
        runs: by number; `_id, num, type, begin_time, end_time, params, editable_params`.
        definitions: workflow definitions by id.
        jobs: workflow jobs by id; `_id, run_num, def_id, user, status`, and what the ARP adds.
        is_locked: refuses run parameters.
    """

    name: str
    posters: set[str] = field(default_factory=set)
    readers: set[str] = field(default_factory=set)
    runs: dict[int, Document] = field(default_factory=dict)
    definitions: dict[str, Document] = field(default_factory=dict)
    jobs: dict[str, Document] = field(default_factory=dict)
    is_locked: bool = False

    def allows(self, user: str, privilege: str) -> bool:
        """True if `user` may `read` or `post`."""
        return user in self.posters or (privilege == "read" and user in self.readers)

    def joined(self, job: Document) -> Document | None:
        """Return a workflow job with its definition, None for an orphan."""
        definition = self.definitions.get(job["def_id"])
        return None if definition is None else {**job, "def": definition, "experiment": self.name}


class ElogState:
    """The eLog's database.

    Args:
        clock: stamps documents.
        locations: name -> `jid_prefix`, the address before `jid/ws`.

    Attributes:
        experiments: by name.
        on_message: called with topic and message for each change, as Kafka's consumers see it.
    """

    def __init__(self, clock: Clock, locations: Mapping[str, str] | None = None) -> None:
        self.experiments: dict[str, Experiment] = {}
        self.locations = {"S3DF": "http://jid/"} if locations is None else dict(locations)
        self.on_message: list[Callable[[str, Document], None]] = []
        self._clock = clock
        self._ids = 0

    def add_experiment(self, name: str, *, posters: set[str], readers: set[str] | None = None) -> Experiment:
        """Create an experiment."""
        experiment = self.experiments[name] = Experiment(name, set(posters), set(readers or ()))
        return experiment

    def new_id(self) -> str:
        """Return an id of the form that the database gives: 24 hexadecimal digits, the time first."""
        self._ids += 1
        return f"{int(self._clock.now().timestamp()):08x}{self._ids:016x}"

    def now_text(self) -> str:
        """Return the present moment as documents hold it."""
        return self._clock.now().isoformat()

    def publish(self, topic: str, experiment: Experiment, change: str, value: Document) -> None:
        """Tell the consumers of a topic of a change: `Create`, `Update` or `Delete`."""
        message = {"experiment_name": experiment.name, "CRUD": change, "value": deepcopy(value)}
        for callback in self.on_message:
            callback(topic, message)

    def start_run(
        self,
        experiment: Experiment,
        num: int,
        run_type: str = "DATA",
        params: Mapping[str, Any] | None = None,
    ) -> Document:
        """Begin a run; one that is still open is closed first."""
        for open_run in [run for run in experiment.runs.values() if run["end_time"] is None]:
            self.end_run(experiment, open_run["num"])
        run = experiment.runs[num] = {
            "_id": self.new_id(),
            "num": num,
            "type": run_type,
            "begin_time": self.now_text(),
            "end_time": None,
            "params": _keys_as_stored(params or {}),
            "editable_params": {},
        }
        self.publish("runs", experiment, "Create", run)
        return run

    def end_run(self, experiment: Experiment, num: int) -> None:
        """End a run."""
        run = experiment.runs[num]
        run["end_time"] = self.now_text()
        took = datetime.fromisoformat(run["end_time"]) - datetime.fromisoformat(run["begin_time"])
        told = {**run, "duration": took.total_seconds(), "file_catalog": []}
        self.publish("runs", experiment, "Update", told)

    def add_run_params(self, experiment: Experiment, num: int, params: Mapping[str, Any]) -> Document:
        """Set parameters of a run, also of one that has ended; raise KeyError if there is none."""
        run = experiment.runs[num]
        run["params"] |= _keys_as_stored(params)
        self.publish("runs", experiment, "Update", run)
        return run


def _keys_as_stored(params: Mapping[str, Any]) -> Document:
    return {key.translate(_STORED): value for key, value in params.items()}
