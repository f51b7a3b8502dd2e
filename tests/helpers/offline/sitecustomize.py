"""Loaded by Python at start where this folder is on PYTHONPATH: no connection may leave this machine.

An attempt is refused and written down in the file that NARRATIVES_CALLS names, for the test to find. So is the
lookup of a name, which comes before most connections.
"""

import os
import socket
from ipaddress import ip_address
from pathlib import Path

_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdigit() or ":" in host


def _refuse(made: socket.socket, address: object) -> None:
    if made.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return
    host = str(address[0])
    if host != "localhost" and not (_is_address(host) and ip_address(host).is_loopback):
        _note(address)


def _note(address: object) -> None:
    with Path(os.environ["NARRATIVES_CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(f"{address}\n")
    raise ConnectionRefusedError(f"no connection may leave this machine: {address}")


def connect(self: socket.socket, address: object) -> None:
    _refuse(self, address)
    return _connect(self, address)


def connect_ex(self: socket.socket, address: object) -> int:
    _refuse(self, address)
    return _connect_ex(self, address)


def getaddrinfo(host: object, *arguments: object, **options: object) -> object:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if name != "localhost" and not _is_address(name):
        _note(name)
    return _getaddrinfo(host, *arguments, **options)


socket.getaddrinfo = getaddrinfo
socket.socket.connect = connect
socket.socket.connect_ex = connect_ex
