"""Blocking calls over the async core, from wherever they are made."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from upwell._types.blocking import BlockingRunner, run_blocking

label: ContextVar[str] = ContextVar("label", default="none")


async def current_label() -> str:
    await asyncio.sleep(0)
    return label.get()


def test_a_plain_script_gets_the_result_or_the_error() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    assert run_blocking(current_label()) == "none"
    with pytest.raises(LookupError, match="gone"):
        run_blocking(fail())


async def test_code_on_a_running_loop_does_not_deadlock() -> None:
    assert run_blocking(current_label()) == "none"


async def test_code_that_a_blocking_call_runs_may_block_too() -> None:
    async def nested() -> str:
        return run_blocking(current_label())

    assert run_blocking(nested()) == "none"


def test_context_variables_of_each_caller_hold() -> None:
    def call(name: str) -> str:
        label.set(name)
        return run_blocking(current_label())

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(call, "abcdefgh")) == list("abcdefgh")
    assert label.get() == "none"


def test_all_calls_share_one_thread_until_it_is_closed() -> None:
    async def thread_name() -> int:
        return threading.get_ident()

    runner = BlockingRunner()
    first = runner.run(thread_name())
    assert runner.run(thread_name()) == first
    runner.close()
    assert runner.run(thread_name())
    runner.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    assert run_blocking(current_label()) == "none"
    child = os.fork()
    if child == 0:
        os._exit(0 if run_blocking(current_label()) == "none" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
