"""What the respondent's page weighs and how soon it is seen, on a phone and from the real server: `make bench-page`.

A new visitor's browser loads the questionnaire; every byte that comes over the line counts, headers too, whatever asked
for it: page, style, script, icons, service worker and what that fetches. Then the same under Chromium's "Slow 4G", the preset
of its developer tools: when the largest part of the page is painted and how far anything moves (LCP and CLS of web vitals).
"""

import re
import statistics
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
PHONE = {"width": 360, "height": 740}


# Chromium's devtools: front_end/core/sdk/NetworkManager.ts, "Slow 4G" (1.6 Mbit/s, 150 ms, times their correction factors)
SLOW_4G = {
    "offline": False,
    "downloadThroughput": 1_600_000 / 8 * 0.9,
    "uploadThroughput": 750_000 / 8 * 0.9,
    "latency": 150 * 3.75,
}
ROUNDS = 5
VITALS = """
window.lcp = 0; window.cls = 0;
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.lcp = e.startTime })
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => { for (const e of list.getEntries()) window.cls += e.value })
  .observe({type: "layout-shift", buffered: true});
"""


def load(browser: Browser, address: str, steps: Any) -> tuple[int, int, list[str]]:
    """Bytes, requests and addresses of one visit by a browser that has nothing cached."""
    context = browser.new_context(viewport=PHONE, locale="nl-NL")
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    bytes_of: dict[str, float] = {}
    line.on("Network.loadingFinished", lambda event: bytes_of.update({event["requestId"]: event["encodedDataLength"]}))
    addresses: list[str] = []
    context.on("request", lambda request: addresses.append(request.url))
    steps(page, address, lambda: (bytes_of.clear(), addresses.clear()))
    page.wait_for_load_state("networkidle")
    time.sleep(2)
    # the page asks for its script once more to keep it for when there is no network: that comes out of the cache
    sent = {request: size for request, size in bytes_of.items() if size}
    context.close()
    addresses = list(dict.fromkeys(addresses))
    return int(sum(sent.values())), len(addresses), addresses


def seen_after(browser: Browser, address: str, steps: Any) -> tuple[float, float]:
    """Seconds until the largest part is painted (median of five visits), and the worst layout shift."""
    times, shifts = [], []
    for _ in range(ROUNDS):
        context = browser.new_context(viewport=PHONE, locale="nl-NL")
        page = context.new_page()
        page.add_init_script(VITALS)
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        steps(page, address, lambda line=line: line.send("Network.emulateNetworkConditions", SLOW_4G))
        page.wait_for_load_state("networkidle")
        time.sleep(1)
        times.append(page.evaluate("window.lcp") / 1000)
        shifts.append(page.evaluate("window.cls"))
        context.close()
    return statistics.median(times), max(shifts)


def welcome(page: Any, address: str, reset: Any) -> None:
    reset()
    page.goto(address)


def questionnaire(page: Any, address: str, reset: Any) -> None:
    """The page with the questions, by a browser whose cache the welcome page has not filled."""
    page.goto(address)
    page.locator("input[name=consent]").check()
    page.route("**/*", lambda route: route.continue_())  # with a route set, the cache of the welcome page is not used
    reset()
    page.locator("form.start button").click()
    page.wait_for_url(re.compile(r"/a/[\w-]{16}/"))


def questionnaire_anew(page: Any, address: str, reset: Any) -> None:
    """The page with the questions by its own address: a first load as well, but without the step of the start before it."""
    questionnaire(page, address, lambda: None)
    page.evaluate(
        "navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister())))"
    )
    own = page.url
    page.goto("about:blank")
    reset()
    page.goto(own)


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
            lcp_welcome, cls_welcome = seen_after(browser, f"{url}/a/{code[1]}", welcome)
            lcp_page, cls_page = seen_after(browser, f"{url}/a/{code[1]}", questionnaire_anew)
            lcp_start, cls_start = seen_after(browser, f"{url}/a/{code[1]}", questionnaire)
        finally:
            browser.close()
            web.terminate()
            web.wait(20)
    print("\n".join(f"    {address.removeprefix(url)}" for address in addresses))
    return report(
        "page",
        [
            at_most("questionnaire, all it loads", n_page / KILOBYTE, 30, "KB"),
            at_most("questionnaire, requests", r_page, 4, "requests"),
            at_most("welcome page, all it loads", n_welcome / KILOBYTE, 30, "KB"),
            at_most("welcome page, requests", r_welcome, 4, "requests"),
            # times depend on what else the machine does: printed beside their aim, they decide nothing
            measured("Slow 4G: welcome page seen after, aim 1.0", lcp_welcome, "s"),
            measured("Slow 4G: questionnaire seen after, aim 1.0", lcp_page, "s"),
            measured("Slow 4G: questionnaire seen after pressing start (two requests)", lcp_start, "s"),
            at_most("Slow 4G: layout shift", max(cls_welcome, cls_page, cls_start), 0, ""),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
