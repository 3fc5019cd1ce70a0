"""The JID's routes, and the server that answers on them."""

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from simulators.jid.service import JidService, Reply

PREFIX = "/jid/ws"
_WITH_EXPERIMENT = ("start_job", "job_statuses", "job_log_file", "job_details", "kill_job", "get_counters")
_WITHOUT_EXPERIMENT = ("job_statuses",)
_LARGEST_BODY = 8 * 1024 * 1024


def application(service: JidService) -> Starlette:
    """Return the JID as an ASGI application. No trailing slash on any path (known)."""

    async def body_of(request: Request) -> bytes | None:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_BODY:
                return None
        return bytes(body)

    async def answer(request: Request) -> JSONResponse:
        body = await body_of(request)
        if body is None:
            return JSONResponse({"error": "the body is too large"}, 413)
        experiment = request.path_params.get("experiment")
        endpoint = request.url.path.rpartition("/")[2]
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _response(await run_in_threadpool(service.handle, endpoint, experiment, headers, body))

    async def replace_counters(request: Request) -> JSONResponse:
        body = await body_of(request)
        if body is None:
            return JSONResponse({"error": "the body is too large"}, 413)
        return _response(service.replace_counters(request.path_params["root_job_id"], body))

    routes = [Route(f"{PREFIX}/{name}", answer, methods=["POST"]) for name in _WITHOUT_EXPERIMENT]
    routes += [
        Route(f"{PREFIX}/{{experiment}}/{name}", answer, methods=["POST"]) for name in _WITH_EXPERIMENT
    ]
    routes.append(
        Route(f"{PREFIX}/replace_counters/{{experiment}}/{{root_job_id}}", replace_counters, methods=["POST"])
    )
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app


def _response(reply: Reply) -> JSONResponse:
    return JSONResponse(reply.body, reply.http_status)
