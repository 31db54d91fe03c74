"""Commands for shell scripts, which the fork server forks, so that no use of them imports the libraries."""

import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Protocol

from turret_pipeline_tests.fork_server import PROGRAMS, fork_program

CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps([[{program!r}, *sys.argv[1:]], dict(os.environ), os.getcwd()]).encode())
    server.shutdown(socket.SHUT_WR)
    answer = server.recv(1)
sys.exit(answer[0] if answer else 1)
"""


class _Passed(Protocol):
    """A descriptor on its way to another process."""

    def detach(self) -> int:
        """The descriptor in that process."""


class _Descriptor:
    """A file descriptor that is passed to a process when it starts."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[object, ...]:
        return _receive, (DupFd(self.number),)


def _receive(passed: _Passed) -> int:
    return passed.detach()


@contextlib.contextmanager
def install_programs(folder: Path) -> Iterator[None]:
    """Put a command for each of PROGRAMS into ``folder``. They work while the context lasts, one after the other."""
    address = folder / "programs.socket"
    for program in PROGRAMS:
        script = folder / program
        script.write_text(CLIENT.format(python=sys.executable, address=str(address), program=program))
        script.chmod(0o755)
    running: list[ForkServerProcess] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        answering = threading.Thread(target=_answer, args=(listener, running), daemon=True)
        answering.start()
        try:
            yield
        finally:
            for process in running:
                if process.is_alive() and process.pid is not None:
                    os.killpg(process.pid, signal.SIGKILL)
            listener.shutdown(socket.SHUT_RDWR)
            answering.join()


def _answer(listener: socket.socket, running: list[ForkServerProcess]) -> None:
    """Run the command of each connection, and send its exit code, until the listener is shut down."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                _, descriptors, *_ = socket.recv_fds(connection, 1, 3)
                command, variables, working_dir = json.loads(connection.makefile().read())
                try:
                    process = fork_program(command, variables, Path(working_dir), list(map(_Descriptor, descriptors)))
                finally:
                    for number in descriptors:  # the script waits until nothing has them open
                        os.close(number)
                running[:] = [process]
                process.join()
                connection.sendall(bytes([_as_in_a_shell(process.exitcode or 0)]))


def _as_in_a_shell(code: int) -> int:
    return code if code >= 0 else 128 - code
