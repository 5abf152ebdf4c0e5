"""Code has one version, where it is submitted and where it runs; what it imports late is there, too."""

from __future__ import annotations

from pydantic import BaseModel
from scenario import Scenario

import upwell

env = upwell.TaskEnvironment("code-versions")


class Size(BaseModel):
    cm: int


@env.task(cache="auto")
async def measure(size: Size) -> int:
    from imported_late import enlarge

    return enlarge(size.cm)


@env.task
async def main() -> tuple[int, str]:
    return await measure(Size(cm=4)), measure.version


SCENARIO = Scenario(main, {}, value=(8, measure.version))
