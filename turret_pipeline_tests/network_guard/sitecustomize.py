"""Audit hook that refuses and records connections and look-ups beyond this machine."""

import contextlib
import importlib
import os
import sys
from pathlib import Path

LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ""}


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # a path of a socket in the file system is local
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host or "")
    if name not in LOCAL:
        with Path(os.environ["NETWORK_GUARD_LOG"]).open("a") as log:
            log.write(f"{event} {name} by {' '.join(sys.orig_argv)}\n")
        raise OSError(f"The network guard refused {event} to {name}.")


sys.addaudithook(_refuse)

# Python imports one sitecustomize only: continue with the next on the path
sys.path.remove(str(Path(__file__).parent))
del sys.modules["sitecustomize"]
with contextlib.suppress(ImportError):
    importlib.import_module("sitecustomize")
