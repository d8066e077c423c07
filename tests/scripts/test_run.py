"""The process manager: whatever signal ends it, nothing is left running."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scripts import run
from scripts.setup import ROOT, Problem

# two programs, of which one starts a child of its own and one ignores TERM
PROGRAM = """
import sys, multiprocessing
multiprocessing.set_start_method("fork")
from scripts import run
run.PATIENCE = run.honcho.manager.KILL_WAIT = 1
stack = run.Stack(lambda: print("ready", flush=True))
stack.add_process("parent", "sleep 300 & echo $! ; wait")
stack.add_process("deaf", "exec " + sys.executable + " -c 'import signal, time; "
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(\\"deaf\\", flush=True); time.sleep(300)'")
stack.loop()
sys.exit(stack.returncode)
"""


def start(**options: object) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
    for line in process.stdout:
        if line.rstrip().endswith("| deaf"):
            break
    return process


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The manager, two relays, two programs and a child, which on a busy machine comes a moment after its line."""
    deadline = time.monotonic() + 20
    while True:
        everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        if len(everyone) >= 6 or time.monotonic() > deadline:
            return everyone
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP)],
)
def test_signal_leaves_no_process(number: signal.Signals, code: int) -> None:
    process = start()
    everyone = family(process)
    assert len(everyone) >= 6
    process.send_signal(number)
    assert process.wait(15) == code
    _, alive = psutil.wait_procs(everyone, timeout=3)
    assert alive == []


def test_interrupt_works_where_it_came_in_ignored() -> None:
    process = start(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    everyone = family(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    _, alive = psutil.wait_procs(everyone, timeout=3)
    assert alive == []


def test_one_program_that_ends_ends_the_others() -> None:
    process = start()
    everyone = family(process)
    sleeper = next(each for each in everyone if each.cmdline()[:1] == ["sleep"])
    sleeper.kill()  # its shell waits for nothing else
    process.wait(15)
    _, alive = psutil.wait_procs(everyone, timeout=3)
    assert alive == []


def test_port_in_use_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Problem, match=f"^Port {port} on 127.0.0.1 is in use .*PORT=8001"):
            run.check_address("127.0.0.1", str(port))
        started = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "scripts.run"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port)},
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Teamspiegel: Port {port}")
    assert len(ended.stderr.splitlines()) == 1
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("port", ["eight", "0", "70000", "-1"])
def test_port_that_is_none(port: str) -> None:
    with pytest.raises(Problem, match="must be a number from 1 to 65535"):
        run.check_address("127.0.0.1", port)


def test_host_that_is_none() -> None:
    with pytest.raises(Problem, match="no such address"):
        run.check_address("no-such-host.invalid", "8000")


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True)]
)
def test_whoever_opens_the_demo_to_others_is_warned(host: str, warned: bool) -> None:
    assert ("WARNING" in run.warning(host)) == warned


def test_a_folder_that_others_could_read_is_shut(tmp_path: Path) -> None:
    var = tmp_path / "var"
    (var / "mail").mkdir(parents=True)
    (var / "mail" / "1.log").write_text("code")
    for path, mode in ((var, 0o755), (var / "mail", 0o755), (var / "mail" / "1.log", 0o644)):
        path.chmod(mode)
    before = os.umask(0o022)
    try:
        run.shut(var)
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (var, var / "mail", var / "mail" / "1.log")] == [
        0o700,
        0o700,
        0o600,
    ]


def test_links_carry_the_address_that_others_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BASE_URL", raising=False)
    monkeypatch.setattr(run, "lan_address", lambda: "10.1.2.3")
    assert run.environment("0.0.0.0", 8000, Path("var"))["BASE_URL"] == "http://10.1.2.3:8000"
    assert run.environment("127.0.0.1", 8080, Path("var"))["BASE_URL"] == "http://127.0.0.1:8080"
