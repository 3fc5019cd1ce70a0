"""The form in which requests are compared: what may differ from run to run is written with common words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from simulators.recording.model import Service
from simulators.recording.walk import map_strings

_POLL = re.compile(r"GET \S*/dagRuns/\{run\}(/taskInstances(\?\S*)?)?")
_VOLATILE = frozenset({"status", "log_file_path"})
"""What a job's document holds of the last poll, whenever that was."""


@dataclass(frozen=True)
class Form:
    """A request.

    Attributes:
        key: what is asked; requests with the same key are answered in the recorded order.
        content: all that must be as it was recorded.
        is_poll: it asks how far something has come, which depends on the time; nothing else of it counts.
        is_reading: it changes nothing, so that asking once more is no other behaviour.
    """

    key: str
    content: dict[str, Any]
    is_poll: bool = False
    is_reading: bool = False


def form_of(
    service: Service, method: str, path: str, authorization: str, body: Any, named: Callable[[str], str]
) -> Form:
    """Return a request's form.

    Args:
        path: below the service's address, with the query.
        authorization: the header's scheme; empty without one.
        body: its JSON, without secrets.
        named: writes a text with common words.
    """
    bare, _, query = path.partition("?")
    path = named(unquote(bare))
    if query:
        path += "?" + urlencode(sorted(parse_qsl(query, keep_blank_values=True)))
    what = f"{method} {path}"
    content = {"request": what, "authorization": authorization, "body": map_strings(body, named)}
    if service == "jid":
        return _of_jid(what, path, content)
    if path.startswith("/auth/"):
        content["body"] = sorted(body) if isinstance(body, dict) else body  # user and password are the site's
        return Form(what, content, is_reading=True)
    return Form(what, content, is_poll=_POLL.fullmatch(what) is not None, is_reading=method == "GET")


def _of_jid(what: str, path: str, content: dict[str, Any]) -> Form:
    if path.endswith("/job_statuses"):
        return Form(what, content, is_poll=True)
    body = content["body"]
    if not isinstance(body, dict):
        return Form(what, content)
    definition = body.get("def")
    task = definition.get("name") if isinstance(definition, dict) else None
    key = f"{what} of {task}"
    if path.endswith("/start_job"):
        return Form(key, content)
    kept = {name: value for name, value in body.items() if name not in _VOLATILE}
    return Form(f"{key}, job {body.get('tool_id')}", {**content, "body": kept})


def job_ids(body: Any) -> list[str]:
    """Return the Slurm job ids in the body of a request to the JID."""
    documents = body if isinstance(body, list) else [body]
    return [str(found.get("tool_id") or "") for found in documents if isinstance(found, dict)]
