"""Naming a run: the same one goes on, another one is refused."""

from pathlib import Path

import pytest

import upwell
from upwell import errors

env = upwell.TaskEnvironment("run-names")


@env.task
async def double(x: int) -> int:
    return 2 * x


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path) -> None:
    upwell.init(state_dir=tmp_path)


@env.task
def fails_once(mark: str) -> int:
    if not Path(mark).exists():
        Path(mark).touch()
        raise ValueError("once")
    return 1


def test_a_run_that_goes_on_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mark = str(tmp_path / "mark")
    with pytest.raises(errors.RuntimeUserError):
        upwell.with_runcontext(name="twice").run(fails_once, mark)
    assert caplog.messages == []
    assert upwell.with_runcontext(name="twice").run(fails_once, mark).outputs() == (1,)
    (said,) = caplog.messages
    assert said.startswith("run 'twice' is there, failed: it goes on,")


def test_a_run_that_succeeded_is_given_back_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    first = upwell.with_runcontext(name="same").run(double, 20)
    again = upwell.with_runcontext(name="same").run(double, 20)
    assert again.outputs() == first.outputs() == (40,)
    assert caplog.messages == [
        "run 'same' is there, succeeded: it is not started again; another name starts anew"
    ]


def test_the_same_name_with_other_inputs_of_the_same_size_is_refused() -> None:
    upwell.with_runcontext(name="same").run(double, 20)
    with pytest.raises(errors.RunStateError, match="other inputs; choose another name"):
        upwell.with_runcontext(name="same").run(double, 30)


@pytest.mark.parametrize("name", ["a/b", "-x", "x" * 80])
def test_a_name_that_cannot_name_an_execution_is_refused(name: str) -> None:
    with pytest.raises(errors.UsageError, match="must be 1 to 64"):
        upwell.with_runcontext(name=name).run(double, 1)
