"""Load data, train a model, evaluate it."""

import joblib
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score

import upwell
from upwell.io import File

env = upwell.TaskEnvironment(
    "train_and_evaluate",
    image=upwell.Image.from_debian_base().with_pip_packages("pandas", "pyarrow", "scikit-learn", "joblib"),
    resources=upwell.Resources(cpu=2, memory="4Gi"),
    cache="auto",
)


@env.task
async def load_data() -> pd.DataFrame:
    frame = load_iris(as_frame=True).frame
    frame["species"] = frame["target"]
    return frame


@env.task
async def train(frame: pd.DataFrame) -> File:
    model = RandomForestClassifier()
    model.fit(frame.drop(columns="species"), frame["species"])
    joblib.dump(model, "model.joblib")
    return await File.from_local("model.joblib")


@env.task
async def evaluate(model_file: File, frame: pd.DataFrame) -> float:
    path = await model_file.download()
    model = joblib.load(path)
    return float(accuracy_score(frame["species"], model.predict(frame.drop(columns="species"))))


@env.task
async def main() -> float:
    frame = await load_data()
    model_file = await train(frame)
    return await evaluate(model_file, frame)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
