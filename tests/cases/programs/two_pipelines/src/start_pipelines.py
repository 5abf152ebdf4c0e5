"""Starts both pipelines."""

from pathlib import Path

from pipelines.etl import etl_pipeline
from pipelines.ml import ml_pipeline

import upwell

if __name__ == "__main__":
    upwell.init_from_config(root_dir=Path(__file__).parent)
    etl_run = upwell.run(etl_pipeline)
    print(etl_run.url)
    ml_run = upwell.run(ml_pipeline)
    print(ml_run.url)
    etl_run.wait()
    ml_run.wait()
    print(etl_run.outputs(), ml_run.outputs())
