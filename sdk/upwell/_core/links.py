"""Links of tasks: addresses for people, with places for the names of the action that they are shown with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

RUN, ACTION, PARENT = "{{.runName}}", "{{.actionName}}", "{{.parentActionName}}"
SCHEMES = frozenset({"http", "https"})
"""Others are not shown as links: some of them are programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLink:
    """A further address that concerns the actions of a task."""

    name: str
    url: str
    """With `RUN`, `ACTION` and `PARENT` in place of names."""


def link_address(link: TaskLink, *, run_id: str, action_id: str, parent_id: str | None) -> str | None:
    """Return where a link of an action leads; None if a browser must not go there."""
    url = link.url
    for place, name in ((RUN, run_id), (ACTION, action_id), (PARENT, parent_id or "")):
        url = url.replace(place, quote(name, safe=""))
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in SCHEMES and parts.netloc else None
