"""Addresses and names of hosts, as people write them in settings and browsers send them."""

import ipaddress
import re
import socket

from turret_pipeline.errors import TurretError

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


def is_loopback(host: str) -> bool:
    """True if only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_wildcard(host: str) -> bool:
    """True if the address stands for all addresses of this machine, so that nobody can open a page under it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def normalize_host(host: str) -> str:
    """The host as browsers write it: in lower case, and an IPv6 address shortened and in brackets.

    Raises ValueError unless it is a name or an address without scheme, port and path.
    """
    name = host.lower()
    try:
        address = ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{host!r} must be a name or address without scheme, port and path, such as turret.example.com"
            ) from None
        return name
    return f"[{address.compressed}]" if address.version == 6 else str(address)


def require_free_address(host: str, port: int) -> None:
    """Raise TurretError if nothing can listen there: servers of libraries would end with their own messages."""
    try:
        for family, _, _, _, address in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM):
            with socket.socket(family, socket.SOCK_STREAM) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as they do
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(address)
    except OSError as error:
        raise TurretError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another address with --host and "
            "--port, or stop the process that uses it."
        ) from None
