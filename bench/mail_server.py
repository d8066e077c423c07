"""A mail server with moods, for proofs: it takes mail, is dead, hangs, or refuses every recipient for now or for good."""

import socket
import threading
from collections import Counter

OK, DEAD, HUNG, LATER, NEVER = "ok", "dead", "hung", "4xx", "5xx"
REFUSALS = {LATER: b"451 4.7.1 Try again later\r\n", NEVER: b"550 5.7.1 Not from here\r\n"}


class MailServer:
    """Listens on one port for as long as its mood lets it. ``taken``: how often a mail came, by its Message-ID."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.about: dict[str, str] = {}  # the recipient, by Message-ID
        self.mood = DEAD
        self._listening: socket.socket | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def be(self, mood: str) -> None:
        """Change the mood; connections of before are left as they are."""
        self.mood = mood
        if mood == DEAD and self._listening is not None:
            self._listening.close()
            self._listening = None
        elif mood != DEAD and self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _address = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as said:
            if self.mood == HUNG:
                said.read()  # until the other side hangs up
                return
            line.sendall(b"220 bench\r\n")
            recipient = ""
            for words in said:
                verb = words[:4].upper()
                if verb == b"RCPT":
                    recipient = words.decode().partition("<")[2].partition(">")[0]
                    line.sendall(REFUSALS.get(self.mood, b"250 OK\r\n"))
                elif verb == b"DATA":
                    line.sendall(b"354 Go on\r\n")
                    self._take(said, recipient)
                    line.sendall(b"250 OK\r\n")
                elif verb == b"QUIT":
                    line.sendall(b"221 Bye\r\n")
                    return
                else:
                    line.sendall(b"250 OK\r\n")

    def _take(self, said: "socket.SocketIO | object", recipient: str) -> None:
        number = ""
        for words in said:  # type: ignore[attr-defined]
            if words == b".\r\n":
                break
            if words.lower().startswith(b"message-id:"):
                number = words.decode().partition(":")[2].strip()
        self.taken[number] += 1
        self.about[number] = recipient
