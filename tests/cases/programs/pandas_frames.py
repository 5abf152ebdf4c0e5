"""Pandas frames between tasks."""

import pandas as pd

import upwell

image = upwell.Image.from_debian_base().with_pip_packages("pandas")
image = image.with_pip_packages("pyarrow")
env = upwell.TaskEnvironment("pandas_frames", image=image)


@env.task
async def load() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": ["Sean", "Pryce", "Jan", "Samuel", "Todd", "Chris"],
            "company": ["union"] * 3 + ["other"] * 3,
        }
    )


@env.task
async def select(frame: pd.DataFrame, company: str) -> pd.DataFrame:
    return frame[frame["company"] == company]


@env.task
async def names(frame: pd.DataFrame) -> list[str]:
    print(frame)
    return frame["person"].tolist()


@env.task
async def main(company: str = "union") -> list[str]:
    frame = await load()
    selected = await select(frame=frame, company=company)
    return await names(selected)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
