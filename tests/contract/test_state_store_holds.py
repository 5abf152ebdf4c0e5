"""What every `StateStore` does with places under limits: SQLite, and DynamoDB in moto.

The tests use the fixture `state_store` only.
"""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store_samples import NOW

from upwell._core.holds import Hold
from upwell._core.model import Executor
from upwell._core.ports import StateStore


def hold(lease_id: str = "l1", *, scope: str = "task:env.double", place: int = 0) -> Hold:
    return Hold(
        scope=scope,
        place=place,
        lease_id=lease_id,
        run_id="r1",
        action_id="a1",
        generation=1,
        task="env.double",
        executor=Executor(kind="worker", id="w1"),
        since=NOW,
        expires_at=NOW + 30.1,
    )


async def test_a_place_where_nobody_is_can_be_taken_once(state_store: StateStore) -> None:
    assert await state_store.list_holds("task:env.double") == []
    assert await state_store.take_hold(hold(), replaces=None)
    assert not await state_store.take_hold(hold("l2"), replaces=None)
    assert await state_store.list_holds("task:env.double") == [hold()]


async def test_taking_a_place_again_with_the_same_lease_succeeds(state_store: StateStore) -> None:
    """The answer to the first request may have been lost."""
    assert await state_store.take_hold(hold(), replaces=None)
    assert await state_store.take_hold(hold(), replaces=None)


async def test_a_hold_is_replaced_as_it_was_seen(state_store: StateStore) -> None:
    await state_store.take_hold(hold(), replaces=None)
    assert await state_store.take_hold(hold("l2"), replaces=hold())
    assert await state_store.list_holds() == [hold("l2")]


async def test_a_hold_that_was_renewed_since_it_was_seen_is_not_replaced(state_store: StateStore) -> None:
    await state_store.take_hold(hold(), replaces=None)
    renewed = replace(hold(), expires_at=NOW + 60)
    assert await state_store.renew_hold(renewed)
    assert not await state_store.take_hold(hold("l2"), replaces=hold())
    assert await state_store.list_holds() == [renewed]


async def test_a_hold_that_is_gone_since_it_was_seen_leaves_its_place_free(state_store: StateStore) -> None:
    await state_store.take_hold(hold(), replaces=None)
    await state_store.release_hold(hold())
    assert await state_store.take_hold(hold("l2"), replaces=hold())


async def test_only_the_lease_in_a_place_renews_and_leaves_it(state_store: StateStore) -> None:
    await state_store.take_hold(hold(), replaces=None)
    assert not await state_store.renew_hold(hold("l2"))
    await state_store.release_hold(hold("l2"))
    assert await state_store.list_holds() == [hold()]
    asleep = replace(hold(), asleep=True)
    assert await state_store.renew_hold(asleep)
    assert await state_store.list_holds() == [asleep]
    await state_store.release_hold(asleep)
    assert await state_store.list_holds() == []


async def test_a_hold_that_was_released_cannot_be_renewed(state_store: StateStore) -> None:
    await state_store.take_hold(hold(), replaces=None)
    await state_store.release_hold(hold())
    await state_store.release_hold(hold())
    assert not await state_store.renew_hold(hold())
    assert await state_store.list_holds() == []


async def test_scopes_have_places_of_their_own(state_store: StateStore) -> None:
    scopes = ["cache:k", "env:e", "task:e.t", "task:e.t2"]
    held = [hold(f"{scope}/{place}", scope=scope, place=place) for scope in scopes for place in range(11)]
    for each in held:
        assert await state_store.take_hold(each, replaces=None)
    assert await state_store.list_holds() == held
    assert await state_store.list_holds("task:e.t") == held[22:33]
