"""First thing in a worker's container: fetch the runtime's zip, then become the worker."""

import os
import sys
import tempfile
import zipfile

# Where the image keeps boto3; Python does not look there unless Lambda's own loader starts it.
AWS_SDK_DIR = "/var/runtime"

sys.path.append(AWS_SDK_DIR)
import boto3  # noqa: E402 - it is found only now

runtime_dir = tempfile.mkdtemp(prefix="upwell-")
archive = runtime_dir + ".zip"
boto3.client("s3").download_file(os.environ["UPWELL_RUNTIME_BUCKET"], os.environ["UPWELL_RUNTIME_KEY"], archive)
with zipfile.ZipFile(archive) as code:
    code.extractall(runtime_dir)
os.remove(archive)
os.environ["PYTHONPATH"] = os.pathsep.join([runtime_dir, AWS_SDK_DIR])
# exec, not a child: the worker must be the process that gets SIGTERM.
os.execv(sys.executable, [sys.executable, "-m", "upwell_runtime.worker"])
