"""Making a job's log fit for Airflow's database and for a terminal."""

from lute.redact import redact

_LONGEST_SECRET = 4096
_CUT_MARKER = "[... {cut} earlier characters cut; the whole log: {where} ...]\n"


def clean_log(text: str, *, max_kib: int, where: str | None) -> str:
    """Return the last `max_kib` KiB of `text`, without what a database refuses.

    Measured: Airflow 3.3 on PostgreSQL refuses NUL, and any Airflow 3.3 lone surrogates.

    Args:
        where: the path of the whole log, named in the marker that stands for what was cut.
    """
    usable = text.replace("\x00", "�").encode(errors="replace")
    limit = max_kib * 1024
    if len(usable) <= limit:
        return usable.decode()
    # Before the cut: half a token is not known for one any more.
    masked = redact(usable[-limit - _LONGEST_SECRET :].decode(errors="ignore"))
    tail = masked.encode()[-limit:].decode(errors="ignore")
    marker = _CUT_MARKER.format(cut=len(text) - len(tail), where=where or "not known")
    return marker + tail
