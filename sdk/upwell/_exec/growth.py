"""Keeps runs from growing without an end."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict

from upwell._core.guard import Growth, is_look_due, too_deep, too_many
from upwell._core.journal import Journal
from upwell._core.model import ActionSpec, ErrorInfo
from upwell._core.ports import Runs
from upwell._core.settings import Settings
from upwell.errors import RunawayRunError

log = logging.getLogger("upwell.growth")

RUNS_KNOWN = 100


class RunSizes:
    """What this process knows of the sizes of runs, by submission: a run id and a generation."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Growth] = OrderedDict()
        self.stopped: dict[str, dict[str, int]] = {}
        """Runs that were found too large, with their actions by task: every further call is refused at once."""

    def called(self, submission: str) -> Growth:
        """Count a child, and return what is known of its run."""
        growth = self._known.pop(submission, Growth())
        growth = Growth(actions=growth.actions, called=growth.called + 1)
        self._keep(submission, growth)
        return growth

    def looked(self, submission: str, actions: int) -> None:
        """Note the size that a run had."""
        self._keep(submission, Growth(actions=actions))

    def _keep(self, submission: str, growth: Growth) -> None:
        self._known[submission] = growth
        self._known.move_to_end(submission)
        while len(self._known) > RUNS_KNOWN:
            forgotten, _ = self._known.popitem(last=False)
            self.stopped.pop(forgotten, None)


class GrowthGuard:
    """Looks at each call that one parent makes for the first time.

    Args:
        parent: Who makes the calls.
        sizes: What this process knows.
        runs: Where views are read.
        settings: Bounds of runs that have none of their own.
    """

    def __init__(self, parent: ActionSpec, sizes: RunSizes, runs: Runs, settings: Settings) -> None:
        run = parent.run
        self._parent = parent
        self._sizes = sizes
        self._runs = runs
        self._max_actions = run.max_actions if run.max_actions is not None else settings.max_actions
        self._max_depth = run.max_depth if run.max_depth is not None else settings.max_depth
        self._children = 0
        self._children_before = 0

    def begin(self, journal: Journal) -> None:
        """Count the children that an earlier attempt has called."""
        self._children = self._children_before = len(journal.outcomes.keys() | journal.open.keys())

    @property
    def _let_through(self) -> int:
        """Children of a parent that is at the bound; others may be about to be refused at the same time."""
        return max(self._children_before, self._max_actions - 1)

    async def refusal(self, child: ActionSpec) -> ErrorInfo | None:
        """Return the failure of a call that the run must not make any more; None if it may."""
        text = await self._refusal(child)
        if text is None:
            return None
        return ErrorInfo(code=RunawayRunError.__name__, message=text, recoverable=False)

    async def _refusal(self, child: ActionSpec) -> str | None:
        parent, name, run_id = self._parent.task.name, child.task.name, child.run.run_id
        submission = f"{run_id}.{child.run.generation}"  # a recovery may have other bounds
        deep = too_deep(child.depth, self._max_depth, parent=parent, child=name)
        if deep is not None:
            return deep
        self._children += 1
        growth = self._sizes.called(submission)
        counts = self._sizes.stopped.get(submission)
        if counts is None and self._children >= self._max_actions:
            mine = Counter({name: self._let_through}) + Counter({parent: 1})
            counts = await self._look(run_id, submission)
            if sum(counts.values()) < self._max_actions:  # the view is behind
                counts = mine
        elif counts is None and is_look_due(child.action_id, growth, self._max_actions):
            counts = await self._look(run_id, submission)
        if counts is None:
            return None
        text = too_many(run_id, counts, self._max_actions, parent=parent, child=name)
        if text is not None:
            self._sizes.stopped[submission] = counts
        return text

    async def _look(self, run_id: str, submission: str) -> dict[str, int]:
        try:
            view = await self._runs.view(run_id)
        except Exception:  # no reason to fail a call: somebody else will look
            log.info("the size of a run could not be read", extra={"run_id": run_id}, exc_info=True)
            return {}
        counts = {task: sum(by_status.values()) for task, by_status in view.counts.items()}
        self._sizes.looked(submission, sum(counts.values()))
        return counts
