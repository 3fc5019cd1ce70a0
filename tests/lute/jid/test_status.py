from lute.jid.status import JobStatus


def test_done_alone_is_success_and_what_has_ended_is_not_active() -> None:
    assert [status for status in JobStatus if status.is_success] == [JobStatus.DONE]
    active = [status for status in JobStatus if status.is_active]
    assert active == [JobStatus.START, JobStatus.SUBMITTED, JobStatus.RUNNING]
