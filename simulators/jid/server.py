"""The JID on the network of the virtual world: the same service and the same paths as over HTTP."""

import json

from simulators.jid.paths import LARGEST_BODY, find
from simulators.jid.service import JidService, Reply
from simulators.net.messages import HttpReply, HttpRequest

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_PLAIN = "text/plain; charset=utf-8"


class JidServer:
    """Answers requests to one JID; see `simulators.net.messages.Server`.

    Its endpoints are `jid.start_job`, `jid.job_statuses` and so on by the last part of the path, or
    `jid.replace_counters`; `jid.other` stands for paths that the JID does not have.
    """

    def __init__(self, service: JidService) -> None:
        self._service = service

    def endpoint(self, request: HttpRequest) -> str:
        """Return the name of what is asked."""
        found = find(request.url)
        return "jid.other" if found is None else f"jid.{found.name}"

    def handle(self, request: HttpRequest) -> HttpReply:
        """Answer, as Starlette does where the service is not concerned."""
        found = find(request.url)
        if found is None:
            return HttpReply(404, b"Not Found", _PLAIN)
        if request.method != "POST":
            return HttpReply(405, b"Method Not Allowed", _PLAIN, {"allow": "POST"})
        body = request.body
        if len(body) > LARGEST_BODY:
            reply = Reply(413, {"error": "the body is too large"})
        elif found.root_job_id is not None:
            reply = self._service.replace_counters(found.root_job_id, body)
        else:
            reply = self._service.handle(found.name, found.experiment, request.headers, body)
        return HttpReply(reply.http_status, _encode(reply.body).encode(), took_s=reply.took_s)
