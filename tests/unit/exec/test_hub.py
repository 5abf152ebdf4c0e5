"""What attempts of one process tell each other."""

from __future__ import annotations

from tests.unit.core.actions import SUCCESS

from upwell._core.journal import Completed
from upwell._core.model import ActionKey
from upwell._exec.hub import Hub

PARENT = ActionKey("run", "a0")
ENTRY = Completed(at=1.0, generation=1, action_id="child", outcome=SUCCESS)


def test_an_outcome_is_handed_to_the_parent_that_expects_it() -> None:
    hub, taken = Hub(), list[Completed]()
    hub.hand_over(PARENT, ENTRY)  # nobody is there: the journal will say it
    hub.expect(PARENT, taken.append)
    hub.hand_over(PARENT, ENTRY)
    hub.hand_over(ActionKey("other run", "a0"), ENTRY)
    assert taken == [ENTRY]


def test_an_earlier_attempt_that_ends_does_not_cut_off_a_later_one() -> None:
    hub, earlier, later = Hub(), list[Completed](), list[Completed]()
    take_earlier, take_later = earlier.append, later.append
    hub.expect(PARENT, take_earlier)
    hub.expect(PARENT, take_later)
    hub.forget(PARENT, take_earlier)
    hub.hand_over(PARENT, ENTRY)
    hub.forget(PARENT, take_later)
    hub.hand_over(PARENT, ENTRY)
    assert (earlier, later) == ([], [ENTRY])


def test_a_stop_reaches_the_attempt_that_runs_now() -> None:
    hub, stopped = Hub(), list[str]()

    def stop_first() -> None:
        stopped.append("first")

    def stop_second() -> None:
        stopped.append("second")

    hub.started(PARENT, stop_first)
    hub.started(PARENT, stop_second)
    hub.ended(PARENT, stop_first)
    hub.stop(PARENT)
    hub.ended(PARENT, stop_second)
    hub.stop(PARENT)
    assert stopped == ["second"]
