"""Loaded by Python at start where this folder is on PYTHONPATH: no connection may leave this machine.

An attempt is refused and written down in the file that NARRATIVES_CALLS names, for the test to find.
"""

import os
import socket
from ipaddress import ip_address
from pathlib import Path

_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex


def _refuse(made: socket.socket, address: object) -> None:
    if made.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return
    host = str(address[0])
    if host == "localhost" or ((host.replace(".", "").isdigit() or ":" in host) and ip_address(host).is_loopback):
        return
    with Path(os.environ["NARRATIVES_CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(f"{address}\n")
    raise ConnectionRefusedError(f"no connection may leave this machine: {address}")


def connect(self: socket.socket, address: object) -> None:
    _refuse(self, address)
    return _connect(self, address)


def connect_ex(self: socket.socket, address: object) -> int:
    _refuse(self, address)
    return _connect_ex(self, address)


socket.socket.connect = connect
socket.socket.connect_ex = connect_ex
