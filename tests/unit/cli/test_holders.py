"""`upwell get holders`: who holds which place."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.store_samples import running
from tests.contract.test_state_store_holds import hold

from upwell._local.sqlite import SqliteStore

Cli = Any
SOON = time.time() + 3600


@pytest.fixture
def held(cli: Cli, folder: Path) -> None:
    """Three places: of an attempt, of a dead one, and a lock of a sleeper."""
    cli("run", "flow.py", "nothing")
    store = SqliteStore(folder / ".upwell" / "state.db")

    async def fill() -> None:
        await store.save(running("a1"), expected=None)
        alive = replace(hold("lease-1"), since=SOON - 7200, expires_at=SOON)
        dead = replace(hold("lease-0", place=1), expires_at=1.0)
        lock = replace(hold("lease-2", scope="cache:k"), asleep=True, action_id="a2")
        for each in (alive, dead, lock):
            assert await store.take_hold(each, replaces=None)

    asyncio.run(fill())
    store.close()


def test_nobody_holds_anything(cli: Cli) -> None:
    assert cli("get", "holders", "--json").json == []
    assert cli("get", "holders").code == 0


@pytest.mark.usefixtures("held")
def test_places_are_listed_with_who_is_there_until_when(cli: Cli) -> None:
    lock, alive, dead = cli("get", "holders", "--json").json
    assert [place["state"] for place in (lock, alive, dead)] == ["asleep", "held", "expired"]
    assert [place["attempt"] for place in (lock, alive, dead)] == [None, 1, None]
    assert (alive["scope"], alive["place"]) == ("task:env.double", 0)
    assert (alive["run"], alive["action"], alive["task"]) == ("r1", "a1", "env.double")
    assert (alive["executor_kind"], alive["executor_id"]) == ("worker", "w1")
    assert alive["since"] < alive["expires_at"]
    assert lock["expires_at"] is None


@pytest.mark.usefixtures("held")
def test_they_are_shown_as_a_table(cli: Cli) -> None:
    lines = cli("get", "holders").out.splitlines()
    assert lines[0].split()[:4] == ["scope", "place", "run", "action"]
    assert [line.split()[0] for line in lines[1:]] == ["cache:k", "task:env.double", "task:env.double"]
    assert [line.split()[-1] for line in lines[1:]][::2] == ["asleep", "expired"]


@pytest.mark.usefixtures("held")
def test_one_limit_can_be_asked_for(cli: Cli) -> None:
    shown = cli("get", "holders", "--scope", "cache:k", "--json").json
    assert [place["scope"] for place in shown] == ["cache:k"]
