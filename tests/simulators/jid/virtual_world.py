"""A virtual JID over a virtual Slurm, as the tests of both want it."""

import json
from collections.abc import Mapping
from typing import Any

from simulators.jid.server import JidServer
from simulators.jid.service import JidService
from simulators.jid.state import JidState
from simulators.jid.tokens import TokenAuthority, shared_key
from simulators.jid.virtual_host import VirtualHost
from simulators.kernel.clock import VirtualClock
from simulators.kernel.events import Agenda
from simulators.net.messages import HttpReply, HttpRequest
from simulators.slurm.conf import SlurmConf
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel
from simulators.slurm.virtual import VirtualSlurm

START_S = 1_800_000_000.0
"""2027-01-15 08:00:00 UTC."""
SCRIPT = "/opt/lute/scripts/submit_slurm.sh"
SITE_WANTS = "--partition=milano --account=lcls:x"


def document(
    task: str = "Tester", more: str = SITE_WANTS, *, config: str = "/data/a.yaml", user: str = "u"
) -> dict[str, Any]:
    """Return the control document of one step of experiment `exp`."""
    return {
        "_id": f"id-of-{task}",
        "arp_root_job_id": "root1",
        "experiment": "exp",
        "run_num": "12_2027-01-15T08:00:00",
        "user": user,
        "status": "",
        "tool_id": "",
        "def": {"executable": SCRIPT, "parameters": f"-c {config} -t {task} {more}", "location": "S3DF"},
    }


class World:
    """One agenda with Slurm, host, JID and a token; `models` tells by job name what jobs do."""

    def __init__(self, models: Mapping[str, JobModel] | None = None, conf: SlurmConf | None = None) -> None:
        self.models = dict(models or {})
        self.agenda = Agenda(START_S)
        self.slurm = VirtualSlurm(self.agenda, conf, self._model_of)
        self.existing: set[str] | None = None
        self.host = VirtualHost(self.slurm, {"KEPT": "yes"}, is_file=self._is_file)
        self.tokens = TokenAuthority(VirtualClock(self.agenda), shared_key())
        self.service = JidService(JidState(), self.host, self.tokens, base_url="http://jid/jid/ws")
        self.server = JidServer(self.service)
        self.token = self.tokens.issue("u", "exp", lifetime_min=60)

    def pass_time(self, seconds: float) -> None:
        self.agenda.advance(self.agenda.now_s + seconds)

    def post(self, path: str, body: Any) -> HttpReply:
        headers = {"authorization": f"Bearer {self.token}"}
        url = f"http://jid/jid/ws{path}"
        return self.server.handle(HttpRequest("POST", url, headers, json.dumps(body).encode()))

    def value(self, path: str, body: Any) -> Any:
        reply = self.post(path, body)
        answer = json.loads(reply.body)
        assert (reply.status, answer["success"]) == (200, True), reply.body
        return answer["value"]

    def refusal(self, path: str, body: Any) -> str:
        reply = self.post(path, body)
        answer = json.loads(reply.body)
        assert (reply.status, answer["success"]) == (200, False), reply.body
        return str(answer["errormsg"])

    def _model_of(self, job: Job) -> JobModel:
        return self.models.get(job.request.name, JobModel())

    def _is_file(self, path: str) -> bool:
        return self.existing is None or path in self.existing
