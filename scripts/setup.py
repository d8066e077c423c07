"""Makes the environment: Python packages, front-end assets, translations. Standard library only, any python3.

    python3 scripts/setup.py [--dev]

Each step leaves a stamp with the hash of what it was made from, and is passed over while that hash holds.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (an older Python must be able to read this file and say so)
    sys.exit(
        "Teamspiegel needs Python 3.11 or newer, and '{}' is {}.{}: name another one, for instance"
        " 'make run PYTHON=python3.12'.".format(sys.executable, *sys.version_info[:2])
    )

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VAR = Path(os.environ.get("TEAMSPIEGEL_VAR") or ROOT / "var").resolve()
LOGS = VAR / "log"
OLDEST_NPM = 10


class Problem(Exception):
    """What stops the setup, in one sentence that says what to do."""


def digest(*paths: Path) -> str:
    """The hash of files, and of all files in folders: their names and their content."""
    result = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not file.name.startswith(".stamp"):
                result.update(str(file.relative_to(ROOT)).encode())
                result.update(hashlib.sha256(file.read_bytes()).digest())
    return result.hexdigest()


def is_made(stamp: Path, key: str) -> bool:
    return stamp.is_file() and stamp.read_text() == key


def run(what: str, command: "list[str | Path]", problem: str, env: "dict[str, str] | None" = None) -> None:
    """Run a step silently. When it fails, its last lines are shown under one sentence."""
    started = time.monotonic()
    print(f"  {what} …", flush=True)
    log = LOGS / f"{what.split()[0].lower()}.log"
    with log.open("w") as output:
        code = subprocess.call(
            [str(word) for word in command],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
        )
    if code:
        tail = "\n".join("    " + line for line in log.read_text(errors="replace").splitlines()[-15:])
        raise Problem(f"{problem} The last lines of {log}:\n{tail}")
    print(f"  {what}: {time.monotonic() - started:.0f} s", flush=True)


def make_venv() -> None:
    """The virtual environment; a broken one, or one of another Python, is made anew."""
    wanted = "{}.{}".format(*sys.version_info[:2])
    if PYTHON.exists():
        code = "import sys; print('{}.{}'.format(*sys.version_info[:2]))"
        completed = subprocess.run(
            [str(PYTHON), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if completed.returncode == 0 and completed.stdout.strip() == wanted and (VENV / ".stamp-venv").exists():
            return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise Problem(
            "This Python cannot make virtual environments (it has no ensurepip): install that part, on Debian and"
            " Ubuntu with 'apt install python3-venv', and run make again."
        )
    shutil.rmtree(VENV, ignore_errors=True)
    run("venv", [sys.executable, "-m", "venv", VENV], "The virtual environment could not be made.")
    (VENV / ".stamp-venv").write_text(wanted)


def install(name: str) -> None:
    """Install ``requirements/NAME.txt``: every package by version and hash."""
    file = ROOT / "requirements" / (name + ".txt")
    stamp, key = VENV / (".stamp-" + name), digest(file)
    if is_made(stamp, key):
        return
    # the files are complete (compiled), so pip need not resolve; bytecode is made by the first import
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-compile",
    ]
    run(
        f"python packages ({name})",
        [*command, "--require-hashes", "-r", file],
        "The Python packages could not be installed: is the package registry within reach?",
    )
    stamp.write_text(key)
    if name == "dev":  # holds all of base
        (VENV / ".stamp-base").write_text(digest(ROOT / "requirements" / "base.txt"))


def system_npm() -> "str | None":
    """The npm of the system, if it is new enough."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    version = subprocess.run([npm, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    major = version.stdout.strip().split(".")[0]
    return npm if version.returncode == 0 and major.isdigit() and int(major) >= OLDEST_NPM else None


LOCK = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
SOURCES = [*LOCK, ROOT / "static" / "scss", ROOT / "static" / "js" / "answer", ROOT / "scripts" / "copy-vendor.mjs"]
MODULES_STAMP, BUILD_STAMP = ROOT / "node_modules" / ".stamp", ROOT / "static" / "build" / ".stamp"


def modules_made() -> bool:
    return is_made(MODULES_STAMP, digest(*LOCK))


def assets_made() -> bool:
    return modules_made() and is_made(BUILD_STAMP, digest(*SOURCES)) and (ROOT / "static" / "vendor").is_dir()


def make_assets(npm: str) -> None:
    """Front-end packages by package-lock.json, and from them static/build and static/vendor."""
    env = {"PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if not modules_made():
        run(
            "npm packages",
            [npm, "ci", "--no-progress"],
            "The front-end packages could not be installed: is the npm registry within reach?",
            env,
        )
        MODULES_STAMP.write_text(digest(*LOCK))
    if not assets_made():
        run("assets", [npm, "run", "--silent", "build"], "The front-end assets could not be built.", env)
        BUILD_STAMP.write_text(digest(*SOURCES))


def compile_messages() -> None:
    catalogues = sorted((ROOT / "locale").rglob("*.po"))
    stamp, key = ROOT / "locale" / ".stamp", digest(*catalogues)
    if is_made(stamp, key) and all(file.with_suffix(".mo").exists() for file in catalogues):
        return
    run("translations", [PYTHON, "-m", "scripts.messages", "compile"], "The translations could not be compiled.")
    stamp.write_text(key)


def setup(dev: bool) -> None:
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    LOGS.mkdir(mode=0o700, exist_ok=True)
    with (LOGS / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once take turns
        npm = None if assets_made() else system_npm()
        with ThreadPoolExecutor() as pool:
            early = pool.submit(make_assets, npm) if npm else None  # beside the Python packages
            make_venv()
            install("dev" if dev else "base")
            if early:
                early.result()
        if not assets_made():
            install("node")
            make_assets(str(VENV / "bin" / "npm"))
        compile_messages()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dev", action="store_true", help="with all that tests and checks need")
    try:
        setup(parser.parse_args().dev)
    except Problem as problem:
        sys.exit(f"Teamspiegel: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
