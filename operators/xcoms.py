"""What a step leaves for the launcher, which sees no log of Airflow."""

import json

from lute.jid.documents import JobRecord

UNKNOWN_JOB = json.dumps({"tool_id": "", "status": "START", "log_file_path": None})
"""The XCom `job` of a submission of which nobody knows whether it has led to a job."""


def job_xcom(record: JobRecord) -> str:
    """Return the XCom `job`, as JSON text: Airflow 2 gives other values as Python's text."""
    return json.dumps(
        {"tool_id": record.tool_id, "status": record.status_word, "log_file_path": record.log_file_path}
    )
