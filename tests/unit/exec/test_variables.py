"""Environment variables of attempts that share a process."""

import os

import pytest

from upwell._exec.variables import ProcessVariables

NAME = "UPWELL_TEST_VARIABLE"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)


def test_a_variable_is_gone_after_its_attempt() -> None:
    with ProcessVariables().applied({NAME: "a"}):
        assert os.environ[NAME] == "a"
    assert NAME not in os.environ


def test_what_was_set_before_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "before")
    with ProcessVariables().applied({NAME: "a"}):
        assert os.environ[NAME] == "a"
    assert os.environ[NAME] == "before"


def test_a_child_in_its_parents_process_hands_the_variable_back() -> None:
    variables = ProcessVariables()
    with variables.applied({NAME: "parent"}):
        with variables.applied({NAME: "child"}):
            assert os.environ[NAME] == "child"
        assert os.environ[NAME] == "parent"


def test_attempts_that_overlap_leave_nothing_behind() -> None:
    variables = ProcessVariables()
    first, second = variables.applied({NAME: "first"}), variables.applied({NAME: "second"})
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert os.environ[NAME] == "second"
    second.__exit__(None, None, None)
    assert NAME not in os.environ
