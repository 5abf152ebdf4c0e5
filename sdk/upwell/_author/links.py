"""The links that a task was given, as its actions carry them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from upwell._core.links import ACTION, PARENT, RUN, TaskLink

MOST_LINKS, NAME_CHARACTERS, URL_CHARACTERS = 10, 100, 1000
"""They travel with every action of the task."""


def task_links(task: str, links: Iterable[object]) -> tuple[TaskLink, ...]:
    """Return the links of a task; one that gives no address is left out, with a warning."""
    found = []
    for link in links:
        name = str(getattr(link, "name", type(link).__name__))
        try:
            url = link.get_link(  # type: ignore[attr-defined]  # one without fails like one that raises
                run_name=RUN,
                project="",
                domain="",
                context={},
                parent_action_name=PARENT,
                action_name=ACTION,
                pod_name="",
            )
            found.append(TaskLink(name=name[:NAME_CHARACTERS], url=_checked(url)))
        except Exception as e:
            warnings.warn(f"{task}: link {name!r} is left out, for it gives no address: {e!r}", stacklevel=2)
    return tuple(found[:MOST_LINKS])


def _checked(url: object) -> str:
    if not isinstance(url, str) or len(url) > URL_CHARACTERS:
        raise ValueError(f"get_link gave {url!r:.100}, which is no text of at most {URL_CHARACTERS} characters")
    return url
