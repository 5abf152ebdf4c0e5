"""What crosses a process boundary: round trips, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upwell._core import wire
from upwell._core.holds import Hold
from upwell._core.journal import Completed, Entry, Scheduled, Sent, Traced
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    ActionSpec,
    Attempt,
    Bounds,
    CacheEntry,
    ErrorInfo,
    Executor,
    Limit,
    Outcome,
    Payload,
    RetryPolicy,
    RunRecord,
    RunSpec,
    Status,
    TaskSpec,
)

TASK = TaskSpec(name="default.add", module="program", pool="default")
SPEC = ActionSpec(
    run=RunSpec(run_id="r1"), action_id="a0", task=TASK, inputs=Payload(text="secret", size_bytes=6)
)
MESSAGE = wire.Message(action=SPEC)

some = settings(max_examples=40, deadline=None)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.floats(min_value=0, max_value=4e9)
sizes = st.integers(min_value=0, max_value=2**40)
payloads = st.builds(Payload, text=st.none() | texts, blob=st.none() | texts, size_bytes=sizes)
errors = st.builds(ErrorInfo)
outcomes = st.builds(Outcome, output=st.none() | payloads, error=st.none() | errors)
keys = st.builds(ActionKey, run_id=texts, action_id=texts)
names = st.dictionaries(texts, texts, max_size=2)
runs = st.builds(RunSpec, created_at=times, custom_context=names, env_vars=names)
bounds = st.builds(Bounds, max_runtime_s=st.none() | times, deadline_s=st.none() | times)
retries = st.builds(RetryPolicy, count=sizes, base_s=times, factor=times, cap_s=st.none() | times)
limits = st.lists(st.builds(Limit, scope=texts, places=sizes), max_size=2).map(tuple)
tasks = st.builds(
    TaskSpec,
    name=texts,
    module=texts,
    pool=texts,
    retry=retries,
    bounds=bounds,
    cache_key=st.none() | texts,
    cache_serialize=st.booleans(),
    cache_max_age_s=st.none() | times,
    limits=limits,
)
specs = st.builds(ActionSpec, run=runs, action_id=texts, task=tasks, inputs=payloads, queued_at=times)
attempts = st.builds(Attempt, started_at=times, ended_at=st.none() | times)
records = st.builds(
    ActionRecord,
    spec=specs,
    created_at=times,
    not_before=times,
    attempts=st.lists(attempts, max_size=3).map(tuple),
    outcome=st.none() | outcomes,
    cached_from=st.none() | keys,
)
entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Scheduled, at=times, children=st.lists(st.builds(Sent), min_size=1, max_size=3).map(tuple)),
    st.builds(Completed, at=times, outcome=outcomes),
    st.builds(Traced, at=times, started_at=times, outcome=outcomes),
)
run_records = st.builds(
    RunRecord, spec=runs, root=specs, outcome=st.none() | outcomes, ended_at=st.none() | times, labels=names
)


@some
@given(st.builds(wire.Message, action=specs, v=st.just(wire.WIRE_VERSION)))
def test_messages_round_trip(message: wire.Message) -> None:
    assert wire.load_message(wire.dump_message(message)) == message


@some
@given(records)
def test_records_round_trip(record: ActionRecord) -> None:
    assert wire.load_record(wire.dump_record(record)) == record


@some
@given(run_records)
def test_runs_round_trip(run: RunRecord) -> None:
    assert wire.load_run(wire.dump_run(run)) == run


@some
@given(entries)
def test_journal_entries_round_trip(entry: Entry) -> None:
    assert wire.load_entry(wire.dump_entry(entry)) == entry


@some
@given(st.builds(CacheEntry, output=payloads, made_by=keys, created_at=times))
def test_cache_entries_round_trip(entry: CacheEntry) -> None:
    assert wire.load_cache_entry(wire.dump_cache_entry(entry)) == entry


@some
@given(st.builds(Hold, executor=st.builds(Executor), since=times, expires_at=times))
def test_holds_round_trip(hold: Hold) -> None:
    assert wire.load_hold(wire.dump_hold(hold)) == hold


@some
@given(outcomes)
def test_outcomes_round_trip(outcome: Outcome) -> None:
    assert wire.load_outcome(wire.dump_outcome(outcome)) == outcome


@some
@given(specs)
def test_a_message_composed_by_the_state_machine_is_the_sdks_own(spec: ActionSpec) -> None:
    body = json.dumps({"v": 1, "task_token": "token", "action": wire.dump_action(spec)})
    assert wire.load_message(body) == wire.Message(action=spec, task_token="token")


def test_fields_of_a_later_writer_are_passed_over() -> None:
    content = json.loads(wire.dump_message(MESSAGE))
    content["priority"] = 7
    content["action"]["task"]["color"] = {"of": "tomorrow"}
    assert wire.load_message(json.dumps(content)) == MESSAGE


def test_a_message_of_a_later_version_is_refused() -> None:
    later = json.dumps({**json.loads(wire.dump_message(MESSAGE)), "v": wire.WIRE_VERSION + 1})
    with pytest.raises(wire.WireError, match="version 2, this executor reads up to 1"):
        wire.load_message(later)


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "{}", '{"action": {"run": {"run_id": 3}}}'])
def test_what_is_no_message_is_refused(body: str) -> None:
    with pytest.raises(wire.WireError, match="not an action message"):
        wire.load_message(body)


def test_an_error_does_not_repeat_the_payload() -> None:
    body = wire.dump_message(MESSAGE).replace('"size_bytes":6', '"size_bytes":"secret six"')
    with pytest.raises(wire.WireError) as caught:
        wire.load_message(body)
    assert "secret" not in str(caught.value)
    assert "size_bytes" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{}", 'x{"at": 1}'])
def test_an_entry_of_an_unknown_kind_is_refused(text: str) -> None:
    with pytest.raises(wire.WireError, match="journal entry cannot start with"):
        wire.load_entry(text)


def test_a_status_that_nobody_knows_is_refused() -> None:
    with pytest.raises(wire.WireError, match="not an outcome"):
        wire.load_outcome('{"status": "EXPLODED"}')


def test_defaults_take_no_space() -> None:
    assert wire.dump_outcome(Outcome(status=Status.SUCCEEDED)) == '{"status":"SUCCEEDED"}'
