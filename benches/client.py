"""A minimal client, so that we measure the server and not the client. It speaks PostgreSQL's protocol over a Unix socket
(https://www.postgresql.org/docs/current/protocol-flow.html), and measures the backend's processor time as well as clock time.
"""

import dataclasses
import pathlib
import re
import socket
import struct
import time

from harness import Failure


# Seconds between two looks at a socket.
PAUSE = 0.0005


@dataclasses.dataclass
class Time:
    """Milliseconds of clock time and of the backend's processor time. `cpu` is None where the system does not tell."""

    wall: float
    cpu: float | None

    def beyond(self, floor: "Time") -> "Time":
        """What is left without the cost of `floor`, but at least a microsecond."""
        return Time(max(self.wall - floor.wall, 0.001),
                    None if self.cpu is None or floor.cpu is None else max(self.cpu - floor.cpu, 0.001))

    def divided(self, by: float) -> "Time":
        """The time of one of `by` equal parts."""
        return Time(self.wall / by, None if self.cpu is None else self.cpu / by)


def message(kind: bytes, *parts: bytes) -> bytes:
    """A message of the protocol: its kind, its length, its parts."""
    body = b"".join(parts)
    return kind + struct.pack("!i", len(body) + 4) + body


def text(value: str) -> bytes:
    """A string of the protocol, which ends with a zero byte."""
    return value.encode() + b"\0"


class Connection:
    """A session. Our clusters do not ask for a password."""

    def __init__(self, settings: dict[str, str], database: str, user: str):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{settings['PGHOST']}/.s.PGSQL.{settings['PGPORT']}")
        # 196608 is version 3.0 of the protocol.
        self.socket.sendall(message(b"", struct.pack("!i", 196608), text("user"), text(user), text("database"), text(database), b"\0"))
        [(process, _)] = [struct.unpack("!ii", body) for kind, body in parsed(self._receive()) if kind == b"K"]
        # The identifier of another process' processor clock on Linux: clock_getcpuclockid(3).
        self.clock = ~process << 3 | 2
        self.process = process

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.socket.sendall(message(b"X"))
        # Wait until the backend has ended, so that the next measurement does not include its end.
        self.socket.recv(1)
        self.socket.close()

    def prepare(self, name: str, sql: str) -> None:
        """Prepares a statement."""
        self.exchange(message(b"P", text(name), text(sql), b"\0\0") + message(b"S"))

    def exchange(self, messages: bytes, syncs: int = 1, asleep: bool = False) -> tuple[Time, list[bytes]]:
        """Sends messages that end with a Sync. Returns the time until everything is answered, and the first column of all rows.

        `asleep`: do not wait at the socket. A server that answers a client which waits there pays for waking it up. A slow one does
        so for each answer, and a fast one for few, so their processor times would not compare.
        """
        cpu, start = self._cpu(), time.perf_counter()
        self.socket.sendall(messages)
        answer = self._receive(syncs, asleep)
        wall, end = time.perf_counter() - start, self._cpu()
        rows = [row[6:6 + max(0, struct.unpack("!i", row[2:6])[0])] for kind, row in parsed(answer) if kind == b"D"]
        return Time(wall * 1000, None if cpu is None or end is None else (end - cpu) * 1000), rows

    def query(self, sql: str) -> tuple[Time, list[str]]:
        """Prepares a statement and runs it once."""
        time_, rows = self.exchange(message(b"P", b"\0", text(sql), b"\0\0") + execution("") + message(b"S"))
        return time_, [row.decode() for row in rows]

    def private_memory(self) -> float:
        """Megabytes of the backend's memory that it has written to and shares with no other process. Linux only."""
        text = pathlib.Path(f"/proc/{self.process}/smaps_rollup").read_text(encoding="ascii")
        return int(re.search(r"^Private_Dirty:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024

    def _cpu(self) -> float | None:
        try:
            return time.clock_gettime(self.clock)
        except OSError:
            return None

    def _receive(self, syncs: int = 1, asleep: bool = False) -> bytearray:
        """Everything up to the point where the server waits for more: as many answers as there were Syncs."""
        answer, at = bytearray(), 0
        while syncs:
            try:
                data = self.socket.recv(1 << 18, socket.MSG_DONTWAIT if asleep else 0)
            except BlockingIOError:
                time.sleep(PAUSE)
                continue
            if not data:
                raise Failure(f"the server has closed the connection: {bytes(answer[-500:])}")
            answer += data
            while len(answer) >= at + 5:
                [length] = struct.unpack_from("!i", answer, at + 1)
                if len(answer) < at + 1 + length:
                    break
                syncs -= answer[at:at + 1] == b"Z"
                at += 1 + length
        return answer


def execution(name: str, *parameters: str, binary: bool = False) -> bytes:
    """The messages that run a prepared statement with parameters, as libpq sends them. `binary` asks for the result in binary."""
    values = b"".join(struct.pack("!i", len(p.encode())) + p.encode() for p in parameters)
    return (message(b"B", b"\0", text(name), struct.pack("!hh", 0, len(parameters)), values, struct.pack("!hh", 1, binary)) +
            message(b"D", b"P\0") + message(b"E", b"\0", b"\0\0\0\0"))


def parsed(answer: bytearray) -> list[tuple[bytes, bytes]]:
    """The kinds and bodies of the messages in an answer. Raises Failure if the answer has an error."""
    found, at = [], 0
    while at < len(answer):
        [length] = struct.unpack_from("!i", answer, at + 1)
        kind, body = bytes(answer[at:at + 1]), bytes(answer[at + 5:at + 1 + length])
        if kind == b"E":
            raise Failure("the server says: " + " ".join(body.decode(errors="replace").split("\0")))
        if kind == b"R" and body != b"\0\0\0\0":
            raise Failure("the server asks for a password")
        found.append((kind, body))
        at += 1 + length
    return found
