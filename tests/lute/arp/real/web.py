"""The simulated eLog behind a web server that speaks SPNEGO, as ws-kerb does."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lute.seams import SystemClock
from simulators.elog.server import ElogServer
from simulators.elog.service import ElogService
from simulators.elog.state import ElogState
from simulators.jid.tokens import TokenAuthority, shared_key
from simulators.net.messages import HttpReply, HttpRequest

EXPERIMENT = "mfxl1000126"


class KerberosWeb:
    """Serves on 127.0.0.1 until `stop`.

    Args:
        keytab: the keys of its service.

    Attributes:
        url: its ws-kerb prefix.
        users: who asked, in turn, as Kerberos says.
    """

    def __init__(self, keytab: Path, poster: str) -> None:
        clock = SystemClock()
        self.tokens = TokenAuthority(clock, shared_key())
        state = ElogState(clock, {})
        state.add_experiment(EXPERIMENT, posters={poster})
        service = ElogService(state, self.tokens, lambda _request: HttpReply(500))
        self._elog = ElogServer(service, state, self.tokens)
        self._keytab = keytab
        self.users: list[str] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                reply = web._answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_address[1]}/ws-kerb/lgbk"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, path: str, authorization: str) -> HttpReply:
        import gssapi  # not everywhere: its tests are skipped there

        scheme, _, credential = authorization.partition(" ")
        headers = {}
        if scheme == "Negotiate":
            own = gssapi.Credentials(usage="accept", store={"keytab": str(self._keytab)})
            context = gssapi.SecurityContext(creds=own, usage="accept")
            context.step(base64.b64decode(credential))
            assert context.complete
            self.users.append(str(context.initiator_name))
            # Below, the simulated eLog takes a name for a ticket.
            headers["authorization"] = f"Negotiate {context.initiator_name}"
        return self._elog.handle(HttpRequest("GET", f"http://localhost{path}", headers))
