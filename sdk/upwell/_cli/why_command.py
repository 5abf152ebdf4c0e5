"""`upwell why RUN ACTION`: why an action ran instead of taking a kept result, and what took its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from upwell._cli.get_commands import ActionName, AsJson, RunName
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.model import RunRecord


@shared_options
def why(
    session: Session,
    run: RunName,
    action: ActionName = "a0",
    as_json: AsJson = False,
) -> None:
    """Show why an action ran instead of taking a kept result, or whose result it took; and what took its time.

    Its cache key is compared with the nearest earlier one of the same task: code, version, inputs, settings.
    """
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import print_json
    from upwell._cli.why_document import why_document, why_lines
    from upwell._core.timeline import spans_of
    from upwell._core.took import remarks_on, steps_of
    from upwell._exec.control import find_known, no_such_action
    from upwell._exec.explain import Explainer

    async def load(backend: Backend, record: RunRecord) -> dict[str, Any]:
        found = await find_known(backend.store, run, action)
        if found is None:
            raise no_such_action(run, action, "that was begun")
        explanation = await Explainer(backend.store, backend.blobs, record).explain(found)
        return why_document(found, explanation, steps_of(found, spans_of([found])), remarks_on(found))

    shown = asyncio.run(read_run(session, run, load))
    if as_json:
        print_json(shown)
    else:
        print("\n".join(why_lines(shown)))
