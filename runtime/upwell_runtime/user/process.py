"""What a user process is: the guest of an executor, with connections of its own."""

from __future__ import annotations

import logging
import socket

from upwell._aws.s3_transfer import S3Transfer
from upwell._exec.logs.capture import is_outside
from upwell._exec.process.guest import run_guest
from upwell._types.io_context import local_transfers


def guest(sock: socket.socket, fault_fd: int, lines: socket.socket) -> None:
    """Be a user process: how it reaches S3 is found out when a task first moves a file."""
    # Lambda's own handler of logs writes to a file that only the executor has.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(is_outside)  # what tasks log has a way of its own
    logging.getLogger("botocore").setLevel(logging.WARNING)
    run_guest(sock, fault_fd, lines, {**local_transfers(), "s3": S3Transfer()})
