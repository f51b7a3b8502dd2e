"""Run a command in a network namespace that has only the loopback device, and write down what it sends elsewhere.

    python -m tests.helpers.loopback LOG COMMAND...

Every address is routed to the loopback device, where nothing answers. So an attempt of any program, in any language,
to reach another machine, or to look up a name, becomes a packet that is seen here: one line of LOG for each
destination. Ends with the status of the command.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from ipaddress import ip_address
from pathlib import Path

DNS = 53
ETHERNET = 14  # length of the header before the IP packet
SEE_ALL = 3  # ETH_P_ALL
FIRST_LENT_PORT = 32768
PROTOCOLS = {socket.IPPROTO_TCP: "tcp", socket.IPPROTO_UDP: "udp"}
SETUP = (
    ("link", "set", "lo", "up"),
    ("route", "add", "local", "default", "dev", "lo"),
    ("-6", "route", "add", "local", "default", "dev", "lo"),
)


def isolated(log: Path, *command: str) -> list[str]:
    """The command, run in a namespace of its own; empty where this user may not make one."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    enter = ["unshare", "--net", *user]
    if (
        not (shutil.which("unshare") and shutil.which("ip"))
        or subprocess.run([*enter, "ip", "link"], capture_output=True).returncode
    ):
        return []
    return [*enter, sys.executable, "-m", "tests.helpers.loopback", str(log), *command]


def watch(device: socket.socket, log: Path) -> None:
    """Note the destination of each packet that is not for this machine."""
    noted = set()
    while True:
        packet = device.recv(1 << 16)[ETHERNET:]
        if packet and packet[0] >> 4 == 4:
            protocol, here, there, ports = packet[9], packet[12:16], packet[16:20], packet[4 * (packet[0] & 15) :]
        elif packet and packet[0] >> 4 == 6:
            protocol, here, there, ports = packet[6], packet[8:24], packet[24:40], packet[40:]
        else:
            continue
        name, port = PROTOCOLS.get(protocol, ""), int.from_bytes(ports[2:4], "big")
        if not name or (ip_address(there).is_loopback and port != DNS):
            continue
        # An address outside is at both ends; packets from it to a port that a program was lent are answers.
        is_answer = here == there and port >= FIRST_LENT_PORT
        entry = f"{name} {ip_address(there)} port {port}"
        if entry not in noted and not is_answer:
            noted.add(entry)
            with log.open("a", encoding="utf-8") as stream:
                stream.write(f"{entry}\n")


def main() -> int:
    log, command = Path(sys.argv[1]), sys.argv[2:]
    for arguments in SETUP:
        subprocess.run(["ip", *arguments], check=True)
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(SEE_ALL))
    device.bind(("lo", 0))
    log.touch()
    threading.Thread(target=watch, args=(device, log), daemon=True).start()
    # A name server that does not answer is asked once.
    environment = {**os.environ, "RES_OPTIONS": "timeout:1 attempts:1"}
    return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
