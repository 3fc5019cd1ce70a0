"""Secrets stay secret."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker


@checker
def no_secret(history: History, facts: Facts) -> Iterator[str]:
    """No token stands in a log, in the launcher's output, in an XCom or in the trace."""
    texts = dict(facts.texts)
    texts |= {f"the log of {client}": text for client, text in history.logs if _holds(text, facts)}
    for launcher in history.launchers.values():
        for line in launcher.lines:
            if _holds(line, facts):
                texts[f"the output of {launcher.name}"] = line
    for where, text in texts.items():
        if _holds(text, facts):
            yield f"a token stands in {where}"


def _holds(text: str, facts: Facts) -> bool:
    return any(secret in text for secret in facts.secrets)
