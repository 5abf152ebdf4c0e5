"""What a parent learns from its journal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.core.actions import BOOM, FAILURE, SUCCESS

from upwell._core.journal import (
    WINDOW_S,
    Completed,
    Cursor,
    Entry,
    Journal,
    JournalItem,
    Missed,
    Scheduled,
    Sent,
    Traced,
    sort_key,
)
from upwell._core.limits import JOURNAL_SHARD_ENTRIES
from upwell._core.model import Outcome, Status

FATAL = Outcome(status=Status.FAILED, error=replace(BOOM, recoverable=False))


def scheduled(*children: str, shard: int = 0, generation: int = 1, at: float = 1.0) -> Scheduled:
    sent = tuple(Sent(action_id=child, task="env.task", pool="default") for child in children)
    return Scheduled(at=at, generation=generation, shard=shard, children=sent)


def completed(child: str, outcome: Outcome = SUCCESS, *, generation: int = 1, at: float = 2.0) -> Completed:
    return Completed(at=at, generation=generation, action_id=child, outcome=outcome)


def traced(trace_id: str, outcome: Outcome = SUCCESS, *, at: float = 1.0) -> Traced:
    return Traced(at=at, trace_id=trace_id, name="f", started_at=at, outcome=outcome)


def item(entry: Entry) -> JournalItem:
    return JournalItem(sort_key(entry), entry)


# --- children ---


def test_a_child_is_open_from_its_sending_to_its_end() -> None:
    journal = Journal(1)
    journal.apply([scheduled("a", "b", shard=3)])
    assert journal.open == {"a": 3, "b": 3}
    assert journal.apply([completed("a")]) == ["a"]
    assert journal.open == {"b": 3}
    assert journal.outcomes == {"a": SUCCESS}


def test_a_replay_goes_on_where_the_last_shard_was_left() -> None:
    journal = Journal(1)
    sent = [f"c{n}" for n in range(JOURNAL_SHARD_ENTRIES)]
    entries = [scheduled(*sent[first : first + 50], at=first) for first in range(0, len(sent), 50)]
    journal.apply([entries[1], entries[0], *entries, scheduled("d", "e", shard=1), scheduled("d", shard=1)])
    assert [journal.next_shard() for _ in range(JOURNAL_SHARD_ENTRIES - 2)] == [1] * (JOURNAL_SHARD_ENTRIES - 2)
    assert journal.next_shard() == 2


def test_an_end_that_is_read_again_is_not_reported_again() -> None:
    journal = Journal(1)
    assert journal.apply([completed("a"), completed("a")]) == ["a"]
    assert journal.apply([completed("a", at=9.0)]) == []


def test_a_child_that_ended_before_its_sending_was_read_is_not_open() -> None:
    journal = Journal(1)
    journal.apply([completed("a"), scheduled("a")])
    assert journal.open == {}


def test_only_shards_with_open_children_are_of_interest() -> None:
    journal = Journal(1)
    journal.apply([scheduled("a", shard=0), scheduled("b", shard=2), scheduled("c", shard=2), completed("a")])
    assert journal.shards_of_interest() == [2]


# --- generations ---


def test_a_recovery_keeps_the_successes_of_the_old_generation_and_forgets_its_failures() -> None:
    journal = Journal(2)
    journal.apply([completed("a"), completed("b", FAILURE)])
    assert journal.outcomes == {"a": SUCCESS}


def test_a_recovery_sends_again_what_the_old_generation_left_open() -> None:
    journal = Journal(2)
    journal.apply([scheduled("a")])
    assert journal.open == {}


def test_a_recovery_takes_its_own_failures() -> None:
    journal = Journal(2)
    journal.apply([completed("a", FAILURE, generation=2)])
    assert journal.outcomes == {"a": FAILURE}


# --- shards ---


def test_a_shard_takes_so_many_children_and_the_next_one_follows() -> None:
    journal = Journal(1)
    shards = [journal.next_shard() for _ in range(2 * JOURNAL_SHARD_ENTRIES + 1)]
    assert shards == [n // JOURNAL_SHARD_ENTRIES for n in range(2 * JOURNAL_SHARD_ENTRIES + 1)]


def test_reading_back_what_was_sent_leaves_no_shard_out() -> None:
    """A gap would end a replay before it has read everything."""
    journal = Journal(1)
    used = set()
    for n in range(2000):
        shard = journal.next_shard()
        used.add(shard)
        journal.apply([scheduled(f"child-{n}", shard=shard)] * 2)
    assert used == set(range(2000 // JOURNAL_SHARD_ENTRIES))


def test_a_replay_goes_on_in_the_last_shard() -> None:
    journal = Journal(1)
    journal.apply([scheduled("a", shard=2), scheduled("b", shard=0)])
    assert journal.next_shard() == 2


# --- traces ---


@pytest.mark.parametrize(
    ("recorded", "kept"),
    [
        ([FAILURE, SUCCESS], SUCCESS),
        ([SUCCESS, FAILURE], SUCCESS),
        ([FAILURE, FATAL], FATAL),
        ([FATAL, FAILURE], FATAL),
    ],
)
def test_of_several_ends_of_a_trace_the_one_that_says_most_is_kept(
    recorded: list[Outcome], kept: Outcome
) -> None:
    journal = Journal(1)
    journal.apply([traced("t", outcome, at=n) for n, outcome in enumerate(recorded)])
    assert journal.traces == {"t": kept}


# --- cursor ---


def test_a_cursor_gives_each_entry_once_though_it_reads_the_window_again() -> None:
    cursor, entries = Cursor(), [item(completed("a", at=100.0)), item(completed("b", at=101.0))]
    assert cursor.take(entries) == [entry.entry for entry in entries]
    assert all(entry.sk > cursor.after for entry in entries)
    assert cursor.take(entries) == []


def test_a_cursor_sees_an_entry_of_a_writer_whose_clock_is_behind() -> None:
    cursor = Cursor()
    cursor.take([item(completed("a", at=100.0))])
    late = item(completed("b", at=100.0 - WINDOW_S + 0.001))
    assert late.sk > cursor.after
    assert cursor.take([late]) == [late.entry]


def test_a_new_cursor_starts_at_the_beginning() -> None:
    assert item(completed("a", at=0.0)).sk > Cursor().after


# --- lost messages ---


def missed(*children: str, until: float, generation: int = 1) -> Missed:
    return Missed(at=until + 60, generation=generation, action_ids=children, sent_until=until)


def test_a_child_whose_messages_are_lost_must_be_sent_again_in_its_shard() -> None:
    journal = Journal(1)
    journal.apply([scheduled("a", "b", shard=3), missed("a", until=1.0)])
    assert journal.lost == ["a"]
    assert [journal.must_send(child) for child in "abc"] == [True, False, True]
    assert journal.shard_of("a") == 3


def test_a_child_that_was_sent_again_is_not_lost() -> None:
    journal = Journal(1)
    journal.apply([scheduled("a"), missed("a", until=1.0), scheduled("a", at=70.0)])
    assert journal.lost == []
    journal.apply([missed("a", until=70.0)])
    assert journal.lost == ["a"]
    journal.sent("a", 0, 140.0)
    assert not journal.must_send("a")


def test_a_child_that_has_ended_is_not_lost() -> None:
    journal = Journal(1)
    journal.apply([missed("a", until=1.0), completed("a"), scheduled("a"), missed("a", until=1.0)])
    assert journal.lost == []
    assert journal.open == {}


def test_what_an_older_generation_lost_is_no_matter() -> None:
    journal = Journal(2)
    journal.apply([scheduled("a", generation=2), missed("a", until=9.0)])
    assert journal.lost == []
