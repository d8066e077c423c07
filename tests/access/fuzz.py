"""Odd requests to every address: what a page reads is found in the sources and in the forms, and filled with what breaks things.

`tests/access/test_fuzz.py` sends a few to each address, ``make prove-fuzz`` many.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django import forms
from django.apps import apps
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, get_resolver

ROOT = Path(__file__).resolve().parents[2]
_READ = re.compile(
    r"""(?:GET|POST)(?:\.get(?:list)?\(|\[)["'](\w+)["']|["'](\w+)["'] (?:not )?in request\.(?:GET|POST)"""
)
_FIELD = re.compile(r"<(?:input|select|textarea|button)\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(name|value|type)=["']([^"']*)["']""")

TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "²",
    "٣",
    "-1",
    "0",
    "1",
    "9" * 30,
    "9" * 5_000,
    "9223372036854775808",
    "2147483648",
    "1e400",
    "nan",
    "inf",
    "0x1f",
    "1_000",
    "2020-13-45",
    "2026-02-30T25:61",
    "9999-12-31",
    "0001-01-01",
    "25:00",
    "true",
    "on",
    "yes",
    "nl",
    "en",
    "x" * 4_000,
    "é" * 300,
    "👩‍👩‍👧‍👦",
    "\u202eabc",
    "\ufeff",
    "\u2028",
    "a\r\nBcc: x@y.example",
    "%s%n%(a)s{0}{a}",
    "{{ 7 }}{% load %}",
    "<script>",
    "'; DROP TABLE x; --",
    "../../etc/passwd",
    "//elsewhere.example/",
    "//[a:::::",
    "http://[a:::::]/",
    "javascript:alert(1)",
    "[" * 3_000,
    "{" * 3_000,
    '{"a": 1}',
    "[[1]]",
    "a@b@c",
    "x" * 250 + "@example.example",
    "a@x.example b@x.example; <c@x.example>",
    "=1+1",
    "1,2,,3-",
    "3-1",
    "part:xx",
    "item:GV1",
    ":",
]
FILES = [
    b"",
    b"\0",
    b"a,b\n1",
    b"\xff\xfe\0",
    b"PK\x03\x04",
    b'"',
    b"team,value\nX,\xff",
    b";" * 5_000,
    b"code: 2020-13-45",
    b"- " * 3_000,
    b"%PDF-1.7",
    b"\x89PNG\r\n",
    b"<svg/>",
]
BODIES = [
    b"",
    b"[" * 60_000,
    b"{" * 60_000,
    b"null",
    b"1",
    b'"a"',
    b"[]",
    b"{}",
    b"\xff",
    b'{"key": null}',
    b'{"key": "\\u0000", "sequence": 1, "answers": {"a": "\\ud800"}}',
    b'{"key": "a", "sequence": {}, "answers": []}',
    b'{"key": ["a"], "sequence": 1e999, "answers": {"a": {}}, "eligibility": {}, "language": []}',
    b'{"parcel": {}, "collection": []}',
    b'{"parcel": "A", "collection": "00000000-0000-0000-0000-000000000000"}',
    b'{"csp-report": {}}',
    b"&&&===;;;%%%",
    b"a=%ff%00",
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
]
CONTENT_TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain; charset=utf-99",
    "application/csp-report",
    "",
]
HEADERS = {
    "Origin": ["http://[::", "http://[x]/", "http://a]b", "://", "http://", "null", "é", "x" * 4_000],
    "Host": [
        "[::",
        "[a:::::]",
        "a]b",
        "elsewhere.example",
        "x" * 4_000,
        "é",
        "testserver:x",
        "a:99999999",
        "[::1]:0",
        "a..b",
    ],
    "Referer": ["http://[::", "http://a]b", "http://testserver:x/", "é"],
    "Cookie": ["=", ";;;", "answer=; answer", 'sessionid="', "messages=[[", "device=é", "a=" + "x" * 4_000],
    "Accept-Language": ["é", "*;q=x", "nl;q=1e999", ",".join(["x"] * 3_000), "-" * 400],
    "Accept": ["é", "*;q=x", "/", "a/b;" * 400],
    "Accept-Encoding": ["é", "gzip;q=x", "," * 400],
    "Sec-Fetch-Site": ["é", "same-origin,same-origin"],
    "User-Agent": ["", "é", "x" * 4_000],
    "Range": ["bytes=-", "bytes=9-1", "bytes=0-" + "9" * 5_000, "²"],
    "If-None-Match": ['"', 'W/"', "é", "*"],
    "If-Modified-Since": ["Sun, 31 Feb 9999 25:61:61 GMT", "é", "9" * 400],
    "X-Forwarded-For": ["[::", "é", "," * 400, "1.2.3.4.5"],
    "X-Forwarded-Proto": ["é", "https,http"],
    "X-Forwarded-Host": ["[::", "é"],
    "HX-Request": ["é"],
    "HX-Current-URL": ["http://[::", "é"],
    "X-CSRFToken": ["é", "x" * 4_000],
}


def names_read() -> list[str]:
    """Every name that a view reads from a query or a form, and every field of every form class."""
    names = {
        name
        for folder in ("teams", "surveys", "analysis", "config")
        for path in (ROOT / folder).rglob("*.py")
        for groups in _READ.findall(path.read_text())
        for name in groups
        if name
    }
    assert apps.ready
    pending: list[type[forms.BaseForm]] = [forms.Form, forms.ModelForm]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        names |= set(getattr(kind, "base_fields", ()))
    return sorted(names)


def addresses() -> Iterator[tuple[str, str]]:
    """Name and route of every address of the product."""
    pending: list[tuple[str, Any]] = [("", get_resolver())]
    while pending:
        prefix, resolver = pending.pop()
        for pattern in resolver.url_patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield pattern.name or route, route
            else:
                pending.append((route, pattern))


def fields_of(page: str) -> dict[str, str]:
    """The fields of all forms of a page, as they stand there."""
    fields = {}
    for tag in _FIELD.findall(page):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("name"):
            fields[attributes["name"]] = attributes.get("value", "")
    return fields


@dataclass(frozen=True)
class Odd:
    """A request: how, with which query, and what it carries."""

    method: str
    query: dict[str, str]
    data: Any = None
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, client: Client, path: str) -> HttpResponseBase:
        given: dict[str, Any] = {"query_params": self.query, "headers": {"Origin": "http://testserver"} | self.headers}
        if self.content_type is not None:  # bytes as they are
            return client.generic("POST", path, self.data, self.content_type, **given)
        if self.data is not None:
            given["data"] = self.data
        return getattr(client, self.method)(path, **given)


class Fuzzer:
    """Makes odd requests from a seed: the same seed, the same requests."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.names = names_read()

    def query(self) -> dict[str, str]:
        return {self.random.choice(self.names): self.random.choice(TEXTS) for _n in range(self.random.randint(0, 4))}

    def headers(self) -> dict[str, str]:
        """Odd headers for one request in four: some of them are refused before a view reads anything else."""
        if self.random.random() < 0.75:
            return {}
        names = self.random.sample(sorted(HEADERS), self.random.randint(1, 2))
        return {name: self.random.choice(HEADERS[name]) for name in names}

    def get(self) -> Odd:
        return Odd("get", self.query(), headers=self.headers())

    def post(self, fields: dict[str, str]) -> Odd:
        """Most keep the fields of the page's forms and break one or two; some send what is no form at all."""
        if self.random.random() < 0.2:
            body, content_type = self.random.choice(BODIES), self.random.choice(CONTENT_TYPES)
            return Odd("post", {}, body, content_type, headers=self.headers())
        data: dict[str, Any] = dict(fields)
        for name in self.random.sample(sorted(fields), min(len(fields), self.random.randint(0, 3))):
            data[name] = self.random.choice(TEXTS)
        for name in self.random.sample(self.names, self.random.randint(0, 6)):
            data[name] = self.random.choice(TEXTS)
        if self.random.random() < 0.3:
            data.update(
                {name: [self.random.choice(TEXTS) for _n in range(3)] for name in self.random.sample(self.names, 2)}
            )
        if self.random.random() < 0.3:
            for name in ("file", "map"):
                file = io.BytesIO(self.random.choice(FILES))
                file.name = self.random.choice(
                    ["a.csv", "a.xlsx", "a.yaml", "a.ods", "a", "\u202e.csv", "x" * 300 + ".csv"]
                )
                data[name] = file
        return Odd("post", self.query() if self.random.random() < 0.2 else {}, data, headers=self.headers())
