"""Commands and options of other command lines answer with what there is in their place."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from upwell._cli.app import app
from upwell._cli.elsewhere import COMMANDS, OPTIONS

Cli = Any
ROOT: Any = typer.main.get_command(app)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_elsewhere_says_where(cli: Cli, command: str) -> None:
    done = cli(*command.split(), "something")
    assert done.code == 2
    assert done.error.startswith(f"there is no `upwell {command}`: ")


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_is_elsewhere_says_where(cli: Cli, option: str) -> None:
    done = cli("run", option, "x", "flow.py", "nothing")
    assert done.code == 2
    assert done.error.startswith(f"there is no option {option}: ")


def test_plurals_are_known_too(cli: Cli) -> None:
    assert "EventBridge" in cli("get", "triggers").error


def test_what_is_there_is_not_said_to_be_elsewhere() -> None:
    verbs = set(ROOT.commands)
    nouns = {
        f"{verb} {noun}" for verb, group in ROOT.commands.items() for noun in getattr(group, "commands", ())
    }
    assert not (verbs | nouns) & set(COMMANDS)
