"""Reports and links of actions, on each backend."""

from __future__ import annotations

from typing import Any

import pytest

Console = Any


async def test_an_action_says_which_attempts_made_a_report_and_where_its_links_lead(console: Console) -> None:
    action = await console.get("/runs/bad/actions/a0")
    assert action["reports"] == [1]
    assert action["links"] == [{"name": "Dashboard", "url": "https://metrics.example/bad/a0"}]
    other = await console.get("/runs/good/actions/a0")
    assert (other["reports"], other["links"]) == ([], [])


async def test_a_report_is_a_page_that_can_do_nothing_but_show_itself(console: Console) -> None:
    answer = await console.client.get("/api/v1/runs/bad/actions/a0/reports/1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>document.title = 'attempt 1'</script>" in answer.text
    (policy,) = answer.headers.get_list("content-security-policy")
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert "allow-same-origin" not in rules["sandbox"]
    assert (rules["default-src"], rules["connect-src"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    assert rules["frame-ancestors"] == "'self'"
    assert answer.headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status"),
    [("bad/actions/a0/reports/3", 404), ("none/actions/a0/reports/1", 404), ("bad/actions/a0/reports/x", 422)],
)
async def test_a_report_that_is_not_there_is_an_error(console: Console, path: str, status: int) -> None:
    answer = await console.client.get(f"/api/v1/runs/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
