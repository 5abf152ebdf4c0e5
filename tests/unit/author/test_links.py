"""Links of tasks: what an action carries, and where it leads."""

from __future__ import annotations

import pytest

import upwell
from upwell._core.links import TaskLink, link_address

env = upwell.TaskEnvironment("linked")


class Dashboard:
    name = "Dashboard"

    def get_link(self, run_name: str, action_name: str, parent_action_name: str, **_: object) -> str:
        return f"https://metrics.example/{run_name}?action={action_name}&of={parent_action_name}"


class Broken:
    name = "Broken"

    def get_link(self, **_: object) -> str:
        raise KeyError("project")


@env.task(links=Dashboard())
async def scored() -> None: ...


@env.task(links=(Broken(), 7, Dashboard()))
async def mended() -> None: ...


def address(link: TaskLink) -> str | None:
    return link_address(link, run_id="r/1", action_id="a&b", parent_id=None)


def test_a_link_leads_to_the_action_that_it_is_shown_with() -> None:
    (link,) = scored._spec.links
    assert (link.name, address(link)) == ("Dashboard", "https://metrics.example/r%2F1?action=a%26b&of=")


def test_a_link_that_gives_no_address_is_left_out_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="is left out, for it gives no address") as caught:
        links = mended._spec.links
    assert [link.name for link in links] == ["Dashboard"]
    assert ["'Broken'" in str(caught[0].message), "'int'" in str(caught[1].message)] == [True, True]


def test_other_links_can_be_given_for_a_call() -> None:
    assert [link.name for link in scored.override(links=(Dashboard(), Dashboard()))._spec.links] == [
        "Dashboard"
    ] * 2


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "/runs", "https://", "http://[", "file:///x"]
)
def test_what_is_no_address_of_the_web_is_not_shown(url: str) -> None:
    assert address(TaskLink(name="x", url=url)) is None
