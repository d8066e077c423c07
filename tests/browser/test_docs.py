"""docs/ as a site, opened from the disk: its search finds, on a phone too, and nobody else is asked for anything."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES
from tests.docs.test_site import build


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


def test_search_works_without_a_server(page: Page, site: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "index.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Teamspiegel")
    box = page.get_by_role("textbox", name="Search")
    box.fill("kurtosis")
    box.press("Enter")
    expect(page.locator("#search-results")).to_contain_text("Methods")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("document", ["docs/index", "docs/methods", "docs/architecture", "README"])
def test_a_page_fits_a_phone(page: Page, site: Path, document: str) -> None:
    page.set_viewport_size(SIZES["phone"])
    page.goto((site / f"{document}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
