"""A proxy with moods between teachers and two web servers: it hands on, or answers with a page of its own."""

import contextlib
import itertools
import socket
import threading

OK = "200"
REASONS = {"403": "Forbidden", "404": "Not Found", "502": "Bad Gateway"}
MOODS = tuple(REASONS)


class FalseProxy:
    """Listens on one port; each connection goes to the next of the servers. ``said``: how often it answered by itself."""

    def __init__(self, ports: list[int]) -> None:
        self._next = itertools.cycle(ports)
        self._lines: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.mood, self.said = OK, 0
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def be(self, mood: str) -> None:
        """Change the mood, and hang up: what is asked next is answered in the new one."""
        self.mood = mood
        self.hang_up()

    def hang_up(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, set()
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            line, _address = self._listening.accept()
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with line:
            if self.mood != OK:
                with contextlib.suppress(OSError):
                    self._refuse(line)
                return
            try:
                server = socket.create_connection(("127.0.0.1", next(self._next)), timeout=10)
            except OSError:
                return
            with server:
                server.settimeout(None)
                with self._lock:
                    self._lines |= {line, server}
                back = threading.Thread(target=_hand_on, args=(server, line), daemon=True)
                back.start()
                _hand_on(line, server)
                back.join()
                with self._lock:
                    self._lines -= {line, server}

    def _refuse(self, line: socket.socket) -> None:
        line.settimeout(5)
        line.recv(65536)
        status = self.mood
        page = f"<!doctype html><title>{REASONS[status]}</title><h1>{status} {REASONS[status]}</h1>".encode()
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/html\r\n"
            f"Content-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        )
        self.said += 1
        line.sendall(head.encode() + page)


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):  # whoever hangs up, hangs up both
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
