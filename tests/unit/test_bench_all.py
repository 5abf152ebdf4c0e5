"""`python -m bench.all`: rows, table and JSON of tiny experiments. What they take is not asserted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.all import __main__ as program
from bench.all.contenders import ContenderError, in_turns, ours, theirs
from bench.all.experiment import OURS, Experiment, Setting, beside, run_all
from bench.all.peers import DBOS, FLYTE, Environments, Peer
from bench.all.registry import BACKENDS, EXPERIMENTS
from bench.all.report import table
from bench.all.rows import Row, at_least, at_most
from rich.console import Console


def two_rows(setting: Setting, backend: str) -> Iterator[Row]:
    samples = [float(x) for x in range(setting.runs)]
    yield Row.of(samples, name="fine", backend=backend, n=7, unit="ms", goals=(at_most(2, 3), at_least(2, 1)))
    yield Row.of(samples, name="slow", backend=backend, n=7, unit="ms", goals=(at_most(4, 3),))


def broken(setting: Setting, backend: str) -> Iterator[Row]:
    yield from two_rows(setting, backend)
    raise SystemExit("no such queue")


def experiment(name: str, measure: object) -> Experiment:
    return Experiment(name=name, about="tiny", backends=("local", "sandbox"), measure=measure)  # type: ignore[arg-type]


def test_a_failing_experiment_is_a_row_and_the_others_go_on() -> None:
    experiments = [experiment("broken", broken), experiment("after", two_rows)]
    rows = list(run_all(experiments, Setting(), ["local"], lambda _: None))
    assert [(row.name, row.error) for row in rows] == [
        ("fine", None),
        ("slow", None),
        ("broken", "SystemExit: no such queue"),
        ("fine", None),
        ("slow", None),
    ]


def test_a_row_is_the_median_of_its_runs_and_says_whether_it_meets_its_goals() -> None:
    fine, slow = two_rows(Setting(runs=5), "local")
    assert (fine.runs, fine.median, fine.min, fine.max, fine.meets) == (5, 2.0, 0.0, 4.0, True)
    assert slow.meets is False
    assert Row(name="x", backend="local", n=1, unit="").meets is None


def test_the_program_writes_json_prints_one_table_and_fails_with_an_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "EXPERIMENTS", (experiment("good", two_rows), experiment("bad", broken)))
    file = tmp_path / "out.json"
    assert program.main(["--only", "good", "--runs", "3", "--backend", "local", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert [row["name"] for row in found["rows"]] == ["fine", "slow"]
    assert [row["meets"] for row in found["rows"]] == [True, False]
    assert found["rows"][0]["goals"][0] == {"text": "<= 3: 2", "meets": True}
    assert found["machine"]["cores"]
    assert found["versions"]["dbos"] == DBOS.version
    assert "fine" in capsys.readouterr().out
    assert program.main(["--backend", "local", "--json", str(file)]) == 1
    assert json.loads(file.read_text())["rows"][-1]["error"] == "SystemExit: no such queue"
    assert "failed: SystemExit: no such queue" in capsys.readouterr().out


def test_a_figure_without_a_range_is_shown_without_one() -> None:
    printed = io.StringIO()
    row = Row(name="small", backend="local", n=20, unit="ms", runs=7, median=3.5, max=9.0)
    Console(file=printed, width=200).print(table([row]))
    assert "3.5 ms (9)" in printed.getvalue()


def test_contenders_take_turns_and_one_that_fails_is_not_run_again() -> None:
    order: list[str] = []

    def good() -> dict[str, float]:
        order.append("good")
        return {"wall_s": float(len(order))}

    def bad() -> dict[str, float]:
        order.append("bad")
        raise ContenderError("exit code 3")

    taken = in_turns({OURS: good, "DBOS": bad, "Flyte local": good}, runs=2)
    assert order == ["good", "bad", "good", "good", "good"]
    assert taken["DBOS"].error == "exit code 3"
    row = Row.of(taken[OURS].values("wall_s"), name="x", backend="local", n=1, unit="s")
    row = beside(row, taken, [DBOS, FLYTE], lambda sample: 10 * sample["wall_s"])
    assert row.peers["DBOS"].error == "exit code 3"
    assert row.peers["DBOS"].median is None
    assert row.median == 2.5
    assert (row.peers["Flyte local"].median, row.peers["Flyte local"].ratio) == (40.0, 16.0)
    printed = io.StringIO()
    Console(file=printed, width=200).print(table([row]))
    assert "exit code 3" in printed.getvalue()
    assert "16 x" in printed.getvalue()


MORE = {"fanout": {"parent_mib"}, "sleeping": {"parent_mib", "actions"}}


@pytest.mark.parametrize("mode", ["fanout", "chain", "traces", "sleeping"])
def test_our_own_program_reports_what_it_took(mode: str) -> None:
    figures = ours(mode, 3)()
    assert set(figures) == {"first_s", "wall_s", "cpu_s", "peak_mib"} | MORE.get(mode, set())


def test_a_program_that_fails_says_so() -> None:
    with pytest.raises(ContenderError, match="KeyError: 'unknown'"):
        ours("unknown", 3)()


def test_a_peer_that_does_not_install_is_reported(tmp_path: Path) -> None:
    (tmp_path / "none-1").write_text("where its environment would be")
    peer = Peer(name="None", package="none", version="1", program="none.py", durable=True)
    environments = Environments(folder=tmp_path)
    taken = in_turns({"None": theirs(peer, "fanout", 3, environments)}, runs=2)
    assert taken["None"].error is not None
    assert taken["None"].error.startswith("none==1 did not install")


def test_experiments_have_their_own_names_and_known_backends() -> None:
    names = [experiment.name for experiment in EXPERIMENTS]
    assert len(set(names)) == len(names)
    assert all(set(experiment.backends) <= set(BACKENDS) for experiment in EXPERIMENTS)
