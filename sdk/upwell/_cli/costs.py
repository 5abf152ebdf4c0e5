"""`upwell get cost`: what a run costs, as tables."""

from __future__ import annotations

from typing import Any

from upwell._cli.tables import print_table
from upwell._cli.terminal import note


def print_cost(shown: dict[str, Any]) -> None:
    """Print what a run costs, given as a document."""
    would = "costs" if shown["backend"] == "aws" else "would cost on AWS"
    print(f"run {shown['run']} {would} ${shown['usd']:.6f} for {shown['actions']:,} actions")
    per_million = shown["control_usd_per_million_actions"]
    print(f"control plane ${shown['control_usd']:.6f}, ${per_million:.2f} per million actions")
    print(f"compute ${shown['compute_usd']:.6f}\n")
    rows = [
        (
            name,
            str(task["actions"]),
            str(task["attempts"]),
            f"{task['run_s']:.3f}",
            *(f"{task[kind]:.6f}" for kind in ("control_usd", "compute_usd", "usd")),
        )
        for name, task in shown["tasks"].items()
    ]
    for name, kind in (("(the run itself)", "run_usd"), ("(its view)", "view_usd")):
        rows.append((name, "", "", "", f"{shown[kind]:.6f}", "", f"{shown[kind]:.6f}"))
    print_table(("task", "actions", "attempts", "seconds", "control $", "compute $", "sum $"), rows)
    print()
    print_table(("service", "$"), [(name, f"{usd:.6f}") for name, usd in shown["services"].items()])
    for what, basis in shown["basis"].items():
        note(f"{what}: {basis}")
    note(f"prices of {shown['region']}, {shown['prices_of']}, without free tiers")
