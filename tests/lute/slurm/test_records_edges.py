"""Records of `scontrol show job` with less, or more, than those of most jobs."""

import re

from lute.slurm.records import parse_fields, parse_job
from lute.slurm.states import SlurmState
from tests.lute.slurm.test_records import SAMPLE

# Put together from Slurm 22.05's format; each value is one that some job has there.
RICH = """JobId=181 ArrayJobId=180 ArrayTaskId=3 ArrayTaskThrottle=2 JobName=scr
   UserId=tester(1001) GroupId=tester(1001) MCS_label=N/A
   Priority=0 Nice=0 Account=lcls:mfx QOS=preemptable WCKey=*
   JobState=PENDING Reason=Dependency FailedNode=sdfmilan002 Dependency=afterok:179(unfulfilled)
   Requeue=1 Restarts=1 BatchFlag=1 Reboot=0 ExitCode=0:15
   DerivedExitCode=0:0
   RunTime=00:00:00 TimeLimit=00:05:00 TimeMin=N/A
   SubmitTime=2026-11-22T10:15:36 EligibleTime=Unknown
   StartTime=Unknown EndTime=Unknown Deadline=2026-11-23T00:00:00
   PreemptEligibleTime=2026-11-22T10:15:36 PreemptTime=None
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=2026-11-22T10:15:36 Scheduler=Main
   Partition=milano AllocNode:Sid=localhost:4159
   ReqNodeList=sdfmilan[001-004] ExcNodeList=sdfmilan009
   NodeList=sdfmilan001 SchedNodeList=sdfmilan003
   NumNodes=1-2 NumCPUs=3-6 NumTasks=3 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   TRES=cpu=3,node=1,billing=3
   Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=*
   JOB_GRES=gpu:1
     Nodes=sdfmilan001 CPU_IDs=0-2 Mem=0 GRES=
   MinCPUsNode=1 MinMemoryCPU=2G MinTmpDiskNode=0
   Features=CPU_GEN:RME Reservation=beam DelayBoot=00:00:00
   OverSubscribe=OK Contiguous=0 Licenses=lic:1 Network=ib
   Command=/home/tester/w/s.sh
   WorkDir=/home/tester/w
   AdminComment=seen
   SystemComment=told
   Comment=lute:r/T/-1:1
   BurstBuffer=none
   Switches=1@00:10:00
   StdErr=/home/tester/w/e.out
   StdIn=/dev/null
   StdOut=/home/tester/w/o.out
   Power=
   CpusPerTres=gpu:4
   MemPerTres=gpu:64
   TresPerJob=gpu:1
   TresPerNode=gpu:1
   TresPerSocket=gpu:1
   TresPerTask=gpu:1
   TresBind=gpu:closest
   TresFreq=gpu:low
   NtasksPerTRES=1
   MailUser=tester MailType=END
   KillOInInvalidDependent=No
"""


def test_every_field_of_a_record_ends_where_the_next_begins() -> None:
    assert set(parse_fields(SAMPLE)) == set(re.findall(r"(?<!\S)([^\s=]+)=", SAMPLE))
    of_its_nodes = {"CPU_IDs", "Mem", "GRES"}
    assert set(parse_fields(RICH)) == set(re.findall(r"(?<!\S)([^\s=]+)=", RICH)) - of_its_nodes


def test_fields_of_heterogeneous_jobs_and_of_later_versions_are_known() -> None:
    fields = parse_fields(
        "JobId=8 HetJobId=7 HetJobOffset=1 HetJobIdSet=7-8 JobName=scr\n"
        "   UserId=tester(1001) GroupId=tester(1001)\n"
        "   JobState=RUNNING Reason=None\n"
        "   NumCPUs=3\n"
        "   ReqTRES=cpu=3,mem=6G\n"
        "   AllocTRES=cpu=4,mem=8G"
    )
    assert (fields["HetJobId"], fields["HetJobOffset"], fields["HetJobIdSet"]) == ("7", "1", "7-8")
    assert (fields["NumCPUs"], fields["ReqTRES"]) == ("3", "cpu=3,mem=6G")
    assert fields["AllocTRES"] == "cpu=4,mem=8G"


def test_what_only_some_jobs_have_becomes_no_part_of_what_all_have() -> None:
    job = parse_job(RICH)
    assert job is not None
    assert (job.job_id, job.name, job.state, job.reason) == ("181", "scr", SlurmState.PENDING, "Dependency")
    assert (job.exit_code, job.nodes, job.num_cpus) == ("0:15", "sdfmilan001", 3)
    assert (job.partition, job.account) == ("milano", "lcls:mfx")
    assert (job.stdout_path, job.work_dir) == ("/home/tester/w/o.out", "/home/tester/w")
    assert job.submit_time is not None
    assert job.start_time is job.end_time is None
    assert parse_fields(RICH)["Comment"] == "lute:r/T/-1:1"
