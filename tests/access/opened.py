"""The fields of a page's forms, as a browser would send them when nothing is touched."""

from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.radios: dict[str, str] = {}  # name → its first value
        self._select = self._option = self._text = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attributes}
        name, value = of.get("name", ""), of.get("value", "")
        if tag == "select":
            self._select, self._option = name, ""
        elif tag == "option" and self._select:
            if "selected" in of or not self.fields.get(self._select):
                self.fields[self._select] = [value]
        elif tag == "textarea" and name:
            self._text, self._words = name, []
        elif tag == "input" and name and of.get("type") not in ("submit", "file", "button"):
            if of.get("type") in ("checkbox", "radio"):
                if of["type"] == "radio":
                    self.radios.setdefault(name, value)
                if "checked" in of:
                    self.fields.setdefault(name, []).append(value if "value" in of else "on")
            else:
                self.fields[name] = [value]

    def handle_data(self, data: str) -> None:
        if self._text:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea" and self._text:
            self.fields[self._text] = ["".join(self._words).removeprefix("\n")]
            self._text = ""


def fields_of(page: str, *, choose: bool = False) -> dict[str, Any]:
    """What stands in the fields; with ``choose``, the first answer of every question of which none is chosen."""
    reader = _Reader()
    reader.feed(page)
    chosen = {name: [value] for name, value in reader.radios.items()} if choose else {}
    return chosen | reader.fields
