"""`python -m upwell_runtime.user FD`: the zygote of an executor, at the other end of a socket."""

from __future__ import annotations

import logging
import socket
import sys

from upwell._aws.clients import Clients
from upwell._aws.s3_transfer import S3Transfer
from upwell._exec.process.guest import run_guest
from upwell._exec.process.zygote import serve
from upwell._types.local_transfer import LocalTransfer


def guest(sock: socket.socket, fault_fd: int) -> None:
    """Be a user process: its connections to AWS are its own, made when a task first moves a file."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    local = LocalTransfer()
    run_guest(sock, fault_fd, {"": local, "file": local, "s3": S3Transfer(Clients())})


if __name__ == "__main__":
    serve(int(sys.argv[1]), guest)
