"""The JID's routes, and the server that answers on them."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from simulators.jid.paths import LARGEST_BODY, PATHS, PREFIX
from simulators.jid.service import JidService, Reply

__all__ = ["PREFIX", "application"]


def application(service: JidService) -> Starlette:
    """Return the JID as an ASGI application."""
    routes = [Route(path.template, _endpoint(service, path.name), methods=["POST"]) for path in PATHS]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app


def _endpoint(service: JidService, name: str) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def answer(request: Request) -> JSONResponse:
        body = await _body_of(request)
        if body is None:
            return JSONResponse({"error": "the body is too large"}, 413)
        if name == "replace_counters":
            return _response(service.replace_counters(request.path_params["root_job_id"], body))
        experiment = request.path_params.get("experiment")
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _response(await run_in_threadpool(service.handle, name, experiment, headers, body))

    return answer


async def _body_of(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _response(reply: Reply) -> JSONResponse:
    return JSONResponse(reply.body, reply.http_status)
