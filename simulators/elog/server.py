"""The eLog on the network of the virtual world: prefixes, routes and privileges.

The first part of a path says how the user shows who he is. Kerberos itself is not simulated: under `ws-kerb`
an `Authorization: Negotiate NAME`, or `X-Sim-User: NAME`, stands for a ticket of NAME.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from simulators.elog.service import Call, ElogService, json_answer, page
from simulators.elog.state import ElogState
from simulators.jid.tokens import TokenAuthority, TokenRefused
from simulators.net.messages import HttpReply, HttpRequest


@dataclass(frozen=True)
class Route:
    """One rule of the eLog.

    Attributes:
        name: of the endpoint.
        rule: the path after the prefix, as a regular expression.
        privilege: what the user needs, `read` or `post`.
        must_exist: whether an unknown experiment is HTTP 404; else its users lack the privilege.
    """

    name: str
    methods: frozenset[str]
    rule: re.Pattern[str]
    privilege: str
    must_exist: bool = True


def _route(
    name: str, methods: str, path: str, privilege: str, *, area: str = "lgbk", must_exist: bool = True
) -> Route:
    rule = re.compile(rf"/{area}/(?P<experiment>[^/]+)/ws/{path}")
    return Route(name, frozenset(methods.split()), rule, privilege, must_exist)


ROUTES = (
    _route("token", "GET", "generate_arp_token", "post"),
    _route("workflow_definitions", "GET", "workflow_definitions", "read"),
    _route("create_update_workflow_def", "POST", "create_update_workflow_def", "post", must_exist=False),
    _route("workflow_jobs", "GET", "workflow_jobs", "read"),
    _route("create_workflow_job", "POST", "create_workflow_job", "post", must_exist=False),
    _route("update_workflow_job", "POST", "update_workflow_job", "post", must_exist=False),
    _route("kill_workflow_job", "GET POST", "kill_workflow_job", "post", must_exist=False),
    _route("run", "GET", "runs/(?P<last>[^/]+)", "read"),
    _route("add_run_params", "POST", "add_run_params", "post"),
    _route("add_run_params", "POST", "add_run_params", "post", area="run_control"),
)
_TAKES_JSON = frozenset(
    ["create_update_workflow_def", "create_workflow_job", "update_workflow_job", "add_run_params"]
)
_PREFIX = re.compile(r"/(ws|ws-auth|ws-kerb|ws-jwt)/lgbk(/.*)", re.DOTALL)
_HTML = "text/html; charset=utf-8"


class _Unknown(Exception):
    """Nobody has shown who he is; holds the reply."""

    def __init__(self, reply: HttpReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class ElogServer:
    """Answers requests to one eLog; see `simulators.net.messages.Server`.

    Its endpoints are `elog.token`, `elog.workflow_jobs`, `elog.update_workflow_job`, `elog.run` and so on, by
    the names in `ROUTES`; `elog.other` stands for paths that it does not have.

    Args:
        tokens: what `ws-jwt` checks tokens with; whether their experiment counts there is not known, and it
            does not here.
        passwords: of the users of `ws-auth`.
    """

    def __init__(
        self,
        service: ElogService,
        state: ElogState,
        tokens: TokenAuthority,
        passwords: dict[str, str] | None = None,
    ) -> None:
        self._service = service
        self._state = state
        self._tokens = tokens
        self._passwords = passwords or {}

    def endpoint(self, request: HttpRequest) -> str:
        """Return the name of what is asked."""
        _, found = _find(request)
        return f"elog.{found[0].name}" if found else "elog.other"

    def handle(self, request: HttpRequest) -> HttpReply:
        """Answer."""
        prefix, found = _find(request)
        try:
            user = self._user(prefix, request)
        except _Unknown as unknown:
            return unknown.reply
        if found is None:
            return page(404, _HTML)
        route, match = found
        if request.method not in route.methods:
            return page(405, _HTML)
        experiment = self._state.experiments.get(match["experiment"])
        if experiment is None and route.must_exist:
            return page(404)
        if experiment is None or not user or not experiment.allows(user, route.privilege):
            return page(403)
        document: Any = None
        if route.name in _TAKES_JSON:
            if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return page(415)
            try:
                document = json.loads(request.body)
            except (ValueError, RecursionError):
                return page(400)
        last = match.groupdict().get("last") or ""
        query = dict(reversed(parse_qsl(request.parts.query, keep_blank_values=True)))
        is_kerberos = prefix == "ws-kerb"
        return self._service.handle(Call(route.name, experiment, user, is_kerberos, last, query, document))

    def _user(self, prefix: str, request: HttpRequest) -> str:
        """Return who asks, empty for nobody.

        Raises:
            _Unknown: the prefix wants to know, and nobody has said so.
        """
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if prefix == "ws-kerb":
            user = credential if scheme == "Negotiate" else request.headers.get("x-sim-user", "")
            if not user:
                raise _Unknown(_unauthorized("Negotiate"))
            return user.partition("@")[0]
        if prefix == "ws-jwt":
            if scheme != "Bearer":
                raise _Unknown(json_answer(401, {"error": "Unauthorized"}))
            try:
                return self._tokens.check(f"Bearer {credential}", experiment=None, user=None).user
            except TokenRefused:
                raise _Unknown(json_answer(401, {"error": "Invalid token"})) from None
        if prefix == "ws-auth":
            user, _, password = _decoded(credential).partition(":")
            if scheme != "Basic" or not user or self._passwords.get(user) != password:
                raise _Unknown(_unauthorized("Basic"))
            return user
        return ""


def _find(request: HttpRequest) -> tuple[str, tuple[Route, re.Match[str]] | None]:
    """Return the prefix of a path, empty if it has none, and its route."""
    prefix = _PREFIX.fullmatch(unquote(request.parts.path))
    if prefix is None:
        return "", None
    for route in ROUTES:
        if match := route.rule.fullmatch(prefix[2]):
            return prefix[1], (route, match)
    return prefix[1], None


def _unauthorized(scheme: str) -> HttpReply:
    reply = page(401, _HTML)
    reply.headers = {"www-authenticate": scheme}
    return reply


def _decoded(credential: str) -> str:
    try:
        return base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
