"""The folder as a broker: two workers and a sender at once, and what cannot be read, end nobody.

Each test has a queue of its own: Kombu keeps per process which queues it has declared.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError

from config import broker
from config.celery import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def connection(folder: Path) -> Iterator[Connection]:
    queue = str(folder / "queue")
    options = {"data_folder_in": queue, "data_folder_out": queue, "control_folder": str(folder / "control")}
    with Connection("filesystem://localhost", transport_options=options) as opened:
        yield opened


def test_celery_uses_it(connection: Connection):
    assert app is not None
    assert isinstance(connection.transport, broker.Transport)
    assert isinstance(connection.default_channel, broker.Channel)


def test_a_message_that_cannot_be_read_is_left_out(connection: Connection, folder: Path):
    """Celery ended the worker, and with it everything that `make run` had started."""
    queue = connection.SimpleQueue("unread")  # names that begin with 0 are read before every time of the clock
    (folder / "queue" / "0_half.unread.msg").write_bytes(b"")
    (folder / "queue" / "0_torn.unread.msg").write_bytes(b'{"body": "')
    queue.put({"n": 1})
    assert queue.get(timeout=5).payload == {"n": 1}
    assert not list((folder / "queue").glob("*.msg"))


def test_a_message_has_its_name_when_it_is_whole(connection: Connection, folder: Path, monkeypatch):
    seen = []
    replace = os.replace

    def look(source: Path, target: Path) -> None:
        seen.append([path.name for path in (folder / "queue").glob("*.msg")])
        assert Path(source).read_bytes().endswith(b"}")
        replace(source, target)

    monkeypatch.setattr(broker.os, "replace", look)
    queue = connection.SimpleQueue("whole")
    queue.put({"n": 1})
    assert seen == [[]]
    assert queue.qsize() == 1


def test_a_table_that_is_being_written_is_read_again(connection: Connection, folder: Path, monkeypatch):
    table = folder / "control" / "table.exchange"
    table.write_bytes(b"")
    monkeypatch.setattr(broker.time, "sleep", lambda _seconds: table.write_text("[]"))
    queue = Queue("table", Exchange("table"), routing_key="table")
    queue(connection.default_channel).declare()
    assert connection.default_channel.get_table("table")


def test_a_folder_that_is_gone_is_no_broker(connection: Connection, folder: Path):
    queue = connection.SimpleQueue("gone")
    (folder / "queue").rmdir()
    with pytest.raises((OSError, OperationalError)):
        queue.put({"n": 1})
