"""A journal is read in any order and any number of times, and says the same."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.core.actions import FAILURE, OUTPUT, SUCCESS

from upwell._core.journal import (
    WINDOW_S,
    Completed,
    Cursor,
    Entry,
    FromCache,
    Hits,
    Journal,
    JournalItem,
    Missed,
    Scheduled,
    Sent,
    Traced,
    Traces,
    sort_key,
)
from upwell._core.model import ActionKey, Outcome

GENERATION = 2
instants = st.floats(min_value=1.7e9, max_value=1.7e9 + 60)
children = st.integers(0, 12).map(lambda n: f"child-{n}")


@st.composite
def scheduled(draw: st.DrawFn) -> Scheduled:
    """A child is always sent to the shard that its name gives: its id is the same in every attempt."""
    shard = draw(st.integers(0, 3))
    names = draw(st.lists(children.filter(lambda name: int(name[6:]) % 4 == shard), min_size=1, unique=True))
    return Scheduled(
        at=draw(instants),
        generation=draw(st.integers(1, GENERATION)),
        shard=shard,
        children=tuple(Sent(action_id=name, task="env.task", pool="default") for name in names),
    )


@st.composite
def completed(draw: st.DrawFn) -> Completed:
    """A generation accepts one outcome, and the next keeps it if it is a success: odd children fail in 1."""
    name, generation = draw(children), draw(st.integers(1, GENERATION))
    failed = int(name[6:]) % 2 == 1 and generation == 1
    return Completed(
        at=draw(instants), generation=generation, action_id=name, outcome=FAILURE if failed else SUCCESS
    )


@st.composite
def traced(draw: st.DrawFn) -> Traced:
    at = draw(instants)
    outcome: Outcome = draw(st.sampled_from([SUCCESS, FAILURE]))
    return Traced(at=at, trace_id=draw(children), name="f", started_at=at, outcome=outcome)


@st.composite
def traces(draw: st.DrawFn) -> Traces:
    return Traces(at=draw(instants), traces=tuple(draw(st.lists(traced(), min_size=1, max_size=3))))


@st.composite
def missed(draw: st.DrawFn) -> Missed:
    ids = draw(st.lists(children, min_size=1, unique=True))
    at, generation = draw(instants), draw(st.integers(1, GENERATION))
    return Missed(at=at, generation=generation, action_ids=tuple(ids), sent_until=draw(instants))


@st.composite
def hits(draw: st.DrawFn) -> Hits:
    names = draw(st.lists(children, min_size=1, unique=True))
    found = [
        FromCache(
            action_id=name,
            task=f"env.{int(name[6:]) % 2}",
            pool="default",
            output=OUTPUT,
            made_by=ActionKey("r0", name),
            made_at=1.7e9,
        )
        for name in names
    ]
    return Hits(at=draw(instants), generation=draw(st.integers(1, GENERATION)), children=tuple(found))


entries = st.one_of(scheduled(), completed(), traced(), traces(), missed(), hits())


def state(journal: Journal) -> tuple[object, ...]:
    children = journal.outcomes, journal.open, sorted(journal.lost)
    return children, journal.traces, journal.hits, journal.shards_of_interest(), journal.next_shard()


@given(st.data(), st.lists(entries, max_size=30))
def test_neither_order_nor_repetition_changes_what_a_journal_says(
    data: st.DataObject, log: list[Entry]
) -> None:
    repeated = log + data.draw(st.lists(st.sampled_from(log), max_size=20) if log else st.just([]))
    shuffled = data.draw(st.permutations(repeated))
    straight, other = Journal(GENERATION), Journal(GENERATION)
    ended = straight.apply(log)
    also_ended = [child for entry in shuffled for child in other.apply([entry])]
    assert state(other) == state(straight)
    assert sorted(also_ended) == sorted(ended) == sorted(straight.outcomes)


@given(st.lists(entries, max_size=30))
def test_what_is_open_was_sent_and_has_not_ended(log: list[Entry]) -> None:
    journal = Journal(GENERATION)
    journal.apply(log)
    sent = {
        c.action_id for e in log if isinstance(e, Scheduled) and e.generation == GENERATION for c in e.children
    }
    assert journal.open.keys() == sent - journal.outcomes.keys()


@given(st.lists(st.tuples(children, instants, st.booleans()), max_size=40))
def test_a_cursor_loses_nothing_that_is_less_than_a_window_late(
    arrivals: list[tuple[str, float, bool]],
) -> None:
    """Entries arrive in an order that isn't that of their clocks; after some, the reader looks."""
    cursor, stored, given_out = Cursor(), dict[str, Entry](), list[Entry]()
    newest = 0.0
    for name, at, reads in arrivals:
        if at <= newest - WINDOW_S:
            continue  # later than the engine promises to see here; records are read for these
        newest = max(newest, at)
        entry = Completed(at=at, generation=1, action_id=name, outcome=SUCCESS)
        stored[sort_key(entry)] = entry
        if reads:
            given_out += read(cursor, stored)
    given_out += read(cursor, stored)
    assert sorted(map(sort_key, given_out)) == sorted(stored)


@given(st.lists(st.floats(min_value=0, max_value=2 * WINDOW_S), min_size=2, max_size=8, unique=True))
def test_a_cursor_gives_nothing_twice_at_the_edge_of_its_window(offsets: list[float]) -> None:
    cursor, stored, given_out = Cursor(), dict[str, Entry](), list[Entry]()
    assume(len({int(offset * 1e6) for offset in offsets}) == len(offsets))
    for n, offset in enumerate(sorted(offsets)):
        entry = Completed(at=1.7e9 + offset, generation=1, action_id=str(n), outcome=SUCCESS)
        stored[sort_key(entry)] = entry
        given_out += read(cursor, stored)
    assert len(given_out) == len(stored)


def read(cursor: Cursor, stored: dict[str, Entry]) -> list[Entry]:
    """What a store does: everything above the cursor, in order."""
    return cursor.take([JournalItem(sk, stored[sk]) for sk in sorted(stored) if sk > cursor.after])
