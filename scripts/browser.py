"""Chromium for the browser tests: the one in PATH, else from the system's packages, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The browser of this machine: CHROMIUM names one, else it is looked for in PATH and among Playwright's."""
    if named := os.environ.get("CHROMIUM"):
        return named
    return next((path for name in NAMES if (path := shutil.which(name))), None) or playwrights_own()


def playwrights_own() -> str | None:
    code = "from playwright.sync_api import sync_playwright as p\nwith p() as w: print(w.chromium.executable_path)"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    path = completed.stdout.strip()
    return path if path and Path(path).exists() else None


def find_or_install() -> str:
    """The browser, installed if need be. Without one the tests fail: none is passed over."""
    if path := find():
        return path
    print("No Chromium here: installing one …", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.call(["apt-get", "update", "-qq"], env=env)
        subprocess.call(["apt-get", "install", "-y", "-qq", "chromium"], env=env)
        if path := find():
            return path
    subprocess.call([sys.executable, "-m", "playwright", "install", "chromium"])
    if path := find():
        return path
    raise SystemExit(
        "Teamspiegel: the browser tests need Chromium, and neither PATH, nor apt-get, nor 'playwright install chromium'"
        " gave one: install Chromium and run 'make test' again."
    )
