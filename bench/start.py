"""`make run` on this machine: how soon it is there, and what its programs hold while nobody asks anything: `make bench-start`.

Memory is the proportional share (PSS): what processes share is counted once. The first start, which loads the demo, is made in a
folder of its own and not measured; of the second, all is. Idle is what the programs use of a core in half a minute, once they have
been there for a while.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from bench.figures import Figure, at_most, compiled, measured, report
from bench.production import cpu_seconds
from scripts.postgres import children, free_port
from scripts.setup import ROOT

#: Megabytes; of a worker before it has done anything.
WEB, BEAT, WORKER, ALL = 110, 60, 130, 500
SECOND_START, IDLE = 5.0, 1.0
SETTLED, WATCHED = 20, 30  # seconds
FIRST_PATIENCE = 600
QUIET = 0.5  # processor seconds in ten
PROGRAMS = {"granian": "web", "beat beat": "beat", "answers@": "worker", "work@": "work", "scripts.run": "make run"}


def main() -> int:
    figures = [measured("load average before, of this machine", os.getloadavg()[0], "")]
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as folder:
        port = free_port()
        env = {**os.environ, "TEAMSPIEGEL_VAR": folder, "PORT": str(port), "HOST": "127.0.0.1", **compiled(folder)}
        env.pop("DATABASE_URL", None)
        with running(env) as program:
            wait(port, FIRST_PATIENCE)
            until_quiet(program.pid)  # the demo's reports are made
        with running(env) as program:
            figures.append(at_most("second start, until pages are served", wait(port, 120), SECOND_START, "s"))
            figures += measure(program.pid)
    return report("start", figures)


@contextlib.contextmanager
def running(env: dict[str, str]):  # type: ignore[no-untyped-def]
    command = [sys.executable, "-m", "scripts.run"]
    program = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield program
    finally:
        program.send_signal(signal.SIGINT)
        program.wait(60)


def wait(port: int, patience: float) -> float:
    """Wait until pages are served. How long that took."""
    started = time.perf_counter()
    while time.perf_counter() - started < patience:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5),
        ):
            return time.perf_counter() - started
        time.sleep(0.02)
    raise RuntimeError("pages are not served")


def until_quiet(pid: int) -> None:
    """Wait until the programs use next to nothing, five minutes at most."""
    for _n in range(30):
        before = cpu_seconds(pid)
        time.sleep(10)
        if cpu_seconds(pid) - before < QUIET:
            return


def measure(pid: int) -> list[Figure]:
    time.sleep(SETTLED)
    before = cpu_seconds(pid)
    time.sleep(WATCHED)
    idle = 100 * (cpu_seconds(pid) - before) / WATCHED
    held: dict[str, list[float]] = defaultdict(list)
    for process in tree(pid):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
            held[next((name for sign, name in PROGRAMS.items() if sign in words), words[:20])].append(pss(process))
    most = {"web": WEB, "beat": BEAT, "worker": WORKER, "work": WORKER}
    if missing := set(PROGRAMS.values()) - set(held):
        raise SystemExit(f"not running: {', '.join(sorted(missing))}")
    figures = [
        at_most(f"{name}: the largest process", max(sizes), most[name], "MB")
        if name in most
        else measured(f"{name}: the largest process", max(sizes), "MB")
        for name, sizes in sorted(held.items())
    ]
    figures += [measured(f"{name}: {len(sizes)} processes", sum(sizes), "MB") for name, sizes in sorted(held.items())]
    figures.append(at_most("all together", sum(map(sum, held.values())), ALL, "MB"))
    figures.append(at_most("idle", idle, IDLE, "% of a core"))
    return figures


def tree(pid: int) -> list[int]:
    return [pid, *(below for child in children(pid) for below in tree(child))]


def pss(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(rollup.split("Pss:")[1].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
