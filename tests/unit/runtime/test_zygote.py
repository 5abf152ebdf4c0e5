"""The zygote that an executor splits off when it starts."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio, os, sys, tempfile
from upwell._exec.process.zygote import Zygote

def guest(sock, fault_fd, lines):
    sock.sendall(b"%d %d" % (os.getpid(), os.getppid()))
    os._exit(7)

async def main(zygote):
    for n in range(2):
        with tempfile.TemporaryFile() as faults:
            forked = await zygote.fork(faults.fileno())
        with forked.sock:
            forked.sock.setblocking(True)
            told = forked.sock.recv(100).decode()
        assert told == f"{forked.pid} {zygote.pid}", told
        assert await forked.exit == 7
    zygote.close()

zygote = Zygote(("false",))
zygote.split_off(guest)
assert zygote.pid not in (None, os.getpid())
asyncio.run(main(zygote))
print("done")
"""


def test_a_zygote_split_off_from_the_executor_forks_and_reports_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


THREADED = """
import os, threading
from upwell._exec.process.zygote import Zygote

over = threading.Event()
threading.Thread(target=over.wait).start()
zygote = Zygote(("false",))
zygote.split_off(None)
print(zygote.pid)
over.set()
"""


def test_a_process_with_threads_does_not_split_one_off() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("None\n", 0), done.stderr
