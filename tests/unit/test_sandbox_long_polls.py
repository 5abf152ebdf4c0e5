import asyncio
import threading
from types import ModuleType

import pytest

from upwell_runtime.sandbox.emulator_process import Waiting, correct_long_polls


async def test_a_message_ends_the_sleep_of_a_long_poll() -> None:
    waiting = Waiting()
    sleeping = asyncio.create_task(waiting.sleep(60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # State machines send from threads of their own.
    threading.Thread(target=waiting.wake).start()
    await asyncio.wait_for(sleeping, 10)


async def test_without_a_message_the_sleep_is_as_long_as_asked() -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await Waiting().sleep(0.02)
    assert loop.time() - before >= 0.015


async def test_a_message_before_anybody_waits_is_no_error() -> None:
    Waiting().wake()


def test_the_emulator_still_has_what_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs = pytest.importorskip("ministack.services.sqs")
    handlers = dict(sqs._HANDLERS)
    for name in ("asyncio", "_act_send_message", "_act_change_visibility", "_HANDLERS"):
        monkeypatch.setattr(sqs, name, handlers.copy() if name == "_HANDLERS" else getattr(sqs, name))
    correct_long_polls(sqs)
    assert isinstance(sqs.asyncio, Waiting)
    assert isinstance(asyncio, ModuleType)
    changed = {action for action, operation in sqs._HANDLERS.items() if operation is not handlers[action]}
    assert changed == {"SendMessage", "ChangeMessageVisibility"}
