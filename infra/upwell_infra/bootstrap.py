"""First thing in a worker's container: fetch the runtime's zip, then become the worker."""

import os
import sys
import zipfile

RUNTIME_DIR = "/tmp/upwell-runtime"
# Where the image keeps boto3; Python does not look there unless Lambda's own loader starts it.
AWS_SDK_DIR = "/var/runtime"

sys.path.append(AWS_SDK_DIR)
import boto3  # noqa: E402 - it is found only now

archive = RUNTIME_DIR + ".zip"
boto3.client("s3").download_file(os.environ["UPWELL_RUNTIME_BUCKET"], os.environ["UPWELL_RUNTIME_KEY"], archive)
with zipfile.ZipFile(archive) as code:
    code.extractall(RUNTIME_DIR)
os.remove(archive)
os.environ["PYTHONPATH"] = os.pathsep.join([RUNTIME_DIR, AWS_SDK_DIR])
# exec, not a child: the worker must be the process that gets SIGTERM.
os.execv(sys.executable, [sys.executable, "-m", "upwell_runtime.worker"])
