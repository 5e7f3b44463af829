"""Reads requests, drops their bodies, answers 200. Arguments: the port, the number of processes."""

from __future__ import annotations

import os
import socket
import sys
import threading

_REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def serve(listening: socket.socket) -> None:
    """Take connections for ever, a thread each."""
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=drop, args=(connection,), daemon=True).start()


def drop(connection: socket.socket) -> None:
    """Answer the requests of one connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(1024 * 1024)
    with connection:
        while True:
            got = b""
            while (end := got.find(b"\r\n\r\n")) < 0:
                more = connection.recv(65536)
                if not more:
                    return
                got += more
            left = _length(got[:end]) - (len(got) - end - 4)
            while left > 0:
                left -= connection.recv_into(buffer, min(left, len(buffer))) or left
            connection.sendall(_REPLY)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def main() -> None:
    """Listen, in as many processes as asked for."""
    port, workers = map(int, sys.argv[1:])
    with socket.create_server(("127.0.0.1", port), backlog=4096) as listening:
        for _ in range(workers - 1):
            if os.fork() == 0:
                break
        serve(listening)


if __name__ == "__main__":
    main()
