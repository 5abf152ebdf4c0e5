"""What is fine and what is not, as tables."""

from __future__ import annotations

import pytest

from upwell._core import checkup
from upwell._core.checkup import Finding, Level
from upwell._core.limits import MIB

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("finding", "level", "says"),
    [
        (checkup.judge_python((3, 11, 7), "aws"), OK, "3.11.7"),
        (checkup.judge_python((3, 12, 1), "local"), OK, "3.12.1"),
        (checkup.judge_python((3, 12, 1), "aws"), WARN, "tasks run on 3.11"),
        (checkup.judge_python((3, 10, 1), "local"), FAIL, "needs Python 3.11"),
        (checkup.judge_packages({"aws": True, "sandbox": False}, "aws"), OK, "installed: aws"),
        (checkup.judge_packages({"aws": True, "sandbox": False}, "sandbox"), FAIL, "upwell[sandbox]"),
        (checkup.judge_packages({"aws": False}, "local"), OK, "none"),
        (checkup.judge_versions("0.1.0", "0.1.0"), OK, "here and deployed"),
        (checkup.judge_versions("0.1.3", "0.1.0"), OK, "0.1.0 is deployed"),
        (checkup.judge_versions("0.2.0", "0.1.9"), WARN, "cdk deploy"),
        (checkup.judge_versions("0.1.0", "0.2.0rc1"), WARN, "pip install 'upwell==0.2.0rc1'"),
        (checkup.judge_versions("0.1.0", None), WARN, "does not say its version"),
        (checkup.judge_clock(0.4), OK, "to a second"),
        (checkup.judge_clock(-29), OK, "29 s behind"),
        (checkup.judge_clock(31), WARN, "31 s ahead"),
        (checkup.judge_clock(-400), FAIL, "refuses signatures"),
        (checkup.judge_stack("s", "UPDATE_COMPLETE"), OK, "UPDATE_COMPLETE"),
        (checkup.judge_stack("s", "UPDATE_IN_PROGRESS"), WARN, "wait"),
        (checkup.judge_stack("s", "UPDATE_ROLLBACK_COMPLETE"), WARN, "last update failed"),
        (checkup.judge_stack("s", "ROLLBACK_COMPLETE"), FAIL, "deploy again"),
        (checkup.judge_concurrency(1000, 900), OK, "1,000 at once, 900"),
        (checkup.judge_concurrency(10, 10), WARN, "Service Quotas"),
        (checkup.judge_quota("fargate", "vCPUs", 8, 8), OK, "vCPUs: 8"),
        (checkup.judge_quota("fargate", "vCPUs", 6, 8), WARN, "ask for 8"),
        (checkup.judge_queue("default", 5, 0), OK, "5 messages in flight"),
        (checkup.judge_queue("default", 5, 1), WARN, "1 dead letters"),
        (checkup.judge_lost_changes("https://sqs/lost", 0), OK, "all changes of actions were counted"),
        (checkup.judge_lost_changes("https://sqs/lost", 3), WARN, "3 messages in https://sqs/lost"),
        (checkup.judge_queue("default", 110_000, 0), WARN, "SQS allows 120,000"),
        (checkup.judge_store([], 3, MIB, GIB), OK, "3 runs, 1.0 MiB, 1,024 MiB free"),
        (checkup.judge_store([], 3, MIB, 10 * MIB), WARN, "upwell gc"),
        (checkup.judge_store(["page 7"], 3, MIB, GIB), FAIL, "damaged: page 7"),
        (checkup.judge_interrupted([]), OK, "none"),
        (checkup.judge_interrupted(["a", "b"]), WARN, "`upwell recover a`"),
    ],
)
def test_each_finding_has_its_level_and_says_what_to_do(finding: Finding, level: Level, says: str) -> None:
    assert finding.level is level
    assert says in f"{finding.found} {finding.todo}"
    assert bool(finding.todo) == (level is not OK)
