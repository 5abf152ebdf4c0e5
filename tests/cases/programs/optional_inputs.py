"""Six optional inputs: all given, some, none."""

from datetime import datetime, timedelta
from typing import Optional

import upwell

env = upwell.TaskEnvironment("optional_inputs")


@env.task
def main(
    number: Optional[int] = None,
    fraction: Optional[float] = None,
    text: Optional[str] = None,
    flag: Optional[bool] = None,
    moment: Optional[datetime] = None,
    duration: Optional[timedelta] = None,
) -> str:
    given = {
        "number": number,
        "fraction": fraction,
        "text": text,
        "flag": flag,
        "moment": moment,
        "duration": duration,
    }
    lines = ["Optional inputs:"]
    for name, value in given.items():
        lines.append(f"{name}: {value} ({'given' if value is not None else 'not given'})")
    return "\n".join(lines)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(
        main,
        number=42,
        fraction=3.14,
        text="Hello",
        flag=True,
        moment=datetime.now(),
        duration=timedelta(hours=1),
    )
    print(run.outputs()[0])
    run = upwell.run(main, number=None, fraction=2.71, flag=False, duration=timedelta(minutes=30))
    print(run.outputs()[0])
    run = upwell.run(main)
    print(run.outputs()[0])
