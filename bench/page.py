"""What the respondent's page weighs, as a phone receives it from the real server: `make bench-page`.

A new visitor's browser loads the questionnaire; every byte that comes over the line counts, headers too, whatever asked
for it: page, style, script, icons, service worker and what that fetches.
"""

import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.figures import at_most, measured, report
from scripts.browser import find_or_install
from scripts.postgres import free_port
from scripts.run import commands, environment, prepare
from scripts.setup import ROOT

KILOBYTE = 1024


def load(browser: Browser, address: str, steps: Any) -> tuple[int, int, list[str]]:
    """Bytes, requests and addresses of one visit by a browser that has nothing cached."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="nl-NL")
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    bytes_of: dict[str, float] = {}
    line.on("Network.loadingFinished", lambda event: bytes_of.update({event["requestId"]: event["encodedDataLength"]}))
    addresses: list[str] = []
    context.on("request", lambda request: addresses.append(request.url))
    steps(page, address, lambda: (bytes_of.clear(), addresses.clear()))
    page.wait_for_load_state("networkidle")
    time.sleep(1)
    total = int(sum(bytes_of.values()))
    context.close()
    return total, len(addresses), addresses


def welcome(page: Any, address: str, reset: Any) -> None:
    page.goto(address)


def questionnaire(page: Any, address: str, reset: Any) -> None:
    """The page with the questions, by a browser whose cache the welcome page has not filled."""
    page.goto(address)
    page.locator("input[name=consent]").check()
    page.route("**/*", lambda route: route.continue_())  # with a route set, the cache of the welcome page is not used
    reset()
    page.locator("form button[type=submit]").first.click()
    page.wait_for_url("**/a/q")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="teamspiegel-bench-") as name, sync_playwright() as playwright:
        var, port = Path(name), free_port()
        env = environment("127.0.0.1", port, var)
        code = re.search(r"/a/([A-Z0-9]{6})\b", prepare(var, env))
        assert code, "the demo shows no code to take part with"
        url = f"http://127.0.0.1:{port}"
        web = subprocess.Popen(commands("127.0.0.1", port, var)["web"], shell=True, cwd=ROOT, env=env)
        browser = playwright.chromium.launch(executable_path=find_or_install(), args=["--no-sandbox", "--disable-gpu"])
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{url}/health").close()
                    break
                except OSError:
                    time.sleep(0.1)
            n_welcome, r_welcome, _ = load(browser, f"{url}/a/{code[1]}", welcome)
            n_page, r_page, addresses = load(browser, f"{url}/a/{code[1]}", questionnaire)
        finally:
            browser.close()
            web.terminate()
            web.wait(20)
    print("\n".join(f"    {address.removeprefix(url)}" for address in addresses))
    return report(
        "page",
        [
            at_most("questionnaire, all it loads", n_page / KILOBYTE, 40, "KB"),
            at_most("questionnaire, requests", r_page, 8, "requests"),
            measured("welcome page, all it loads", n_welcome / KILOBYTE, "KB"),
            measured("welcome page, requests", r_welcome, "requests"),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
