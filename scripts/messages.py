"""Interface texts: English in code and templates, Dutch in locale/nl/LC_MESSAGES/django.po.

    python -m scripts.messages update    collect the texts into the catalogues; translations stay
    python -m scripts.messages compile   .po to .mo (make setup does it)
    python -m scripts.messages check     fail on a text that has no translation

Babel does all of it, so that no gettext binaries are needed. Catalogues hold no line numbers: diffs stay small.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("config", "analysis", "surveys", "teams")

# name of the function → which arguments are (context, singular, plural)
FUNCTIONS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(n?p?gettext|_)\(\s*({STRING}(?:\s*,\s*{STRING})*)", re.DOTALL)
# header lines that would change with every update, or say nothing
IDLE = r"POT-Creation-Date|PO-Revision-Date|Generated-By|Project-Id-Version|Report-Msgid-Bugs-To|Last-Translator|Language-Team"
IDLE_HEADER = re.compile(rf'^"(?:{IDLE}).*\n', re.MULTILINE)

# how people are not spoken to here: "u" and "uw", but not an abbreviation or a u of its own
FORMAL = {"nl": re.compile(r"(?<![\w.“])[uU]w?(?![\w.(”])")}


def languages() -> list[str]:
    """Into which languages the texts are translated: all of the site but that of the code."""
    return [code for code in site_languages() if code != ast.literal_eval(_setting("SOURCE_LANGUAGE"))]


def site_languages() -> list[str]:
    """The languages that config/settings.py names, read without starting the program."""
    named = _setting("LANGUAGES")
    assert isinstance(named, ast.List)
    return [ast.literal_eval(pair.elts[0]) for pair in named.elts if isinstance(pair, ast.Tuple)]


def _setting(name: str) -> ast.expr:
    for node in ast.parse((ROOT / "config" / "settings.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return node.value
    raise KeyError(name)


Text = tuple[str, list[str | None]]  # function, its string arguments


def python_texts(source: bytes) -> Iterator[Text]:
    for _, function, message, _ in extract_python(
        io.BytesIO(source), dict.fromkeys(FUNCTIONS), [], {"encoding": "utf-8"}
    ):
        yield str(function), list(message) if isinstance(message, tuple | list) else [message]


def template_texts(source: str, name: str) -> Iterator[Text]:
    """Django turns a template into calls of gettext functions with all else blanked out; they are read back here."""
    for function, arguments in CALL.findall(templatize(source, origin=name)):
        yield function, [ast.literal_eval(text.lstrip("u")) for text in re.findall(STRING, arguments, re.DOTALL)]


def texts() -> Iterator[tuple[str, Text]]:
    """Every marked text with the file it stands in."""
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in file.parts:
                for text in python_texts(file.read_bytes()):
                    yield str(file.relative_to(ROOT)), text
    for file in sorted((ROOT / "templates").rglob("*")):
        if file.suffix in (".html", ".txt", ".svg"):
            for text in template_texts(file.read_text(), str(file)):
                yield str(file.relative_to(ROOT)), text


def in_f_strings(source: str) -> list[int]:
    """The lines on which a text is marked within an f-string, or an f-string is marked: no program finds such a text."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        calls = (
            [part for part in ast.walk(node) if isinstance(part, ast.Call)] if isinstance(node, ast.JoinedStr) else []
        )
        if isinstance(node, ast.Call) and any(isinstance(argument, ast.JoinedStr) for argument in node.args):
            calls.append(node)
        lines += [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id in FUNCTIONS]
    return sorted(set(lines))


def collect() -> Catalog:
    catalog = Catalog(project="Teamspiegel", charset="utf-8")
    for file, (function, strings) in texts():
        context, singular, plural = FUNCTIONS[function]
        message = strings[singular] if singular < len(strings) else None
        if not message:
            continue  # computed, so marked elsewhere
        many = strings[plural] if plural is not None else None
        catalog.add(
            (message, many) if many else message,
            context=strings[context] if context is not None else None,
            locations=[(file, 0)],
        )
    return catalog


def catalogue_path(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language, project="Teamspiegel", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="django")


def update() -> None:
    template = collect()
    for language in languages():
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalog.fuzzy = False
        catalog.header_comment = "# Interface texts of Teamspiegel. Update with: make messages"
        output = io.BytesIO()
        write_po(output, catalog, width=110, ignore_obsolete=True, sort_output=True, include_lineno=False)
        path = catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(IDLE_HEADER.sub("", output.getvalue().decode()))
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {len(gaps(catalog))} without translation")


def compile_catalogues() -> None:
    for language in languages():
        if catalogue_path(language).exists():
            catalog = read(language)
            with catalogue_path(language).with_suffix(".mo").open("wb") as file:
                write_mo(file, in_full(catalog))


def in_full(catalog: Catalog) -> Catalog:
    """A catalogue in which a text without a translation is the English one: else it would be read in the site's first language."""
    for message in catalog:
        if message.id and not all([message.string] if isinstance(message.string, str) else message.string or [""]):
            plural = isinstance(message.id, tuple | list)
            n_forms = catalog.num_plurals
            message.string = (message.id[0], *[message.id[1]] * (n_forms - 1)) if plural else message.id
    return catalog


def gaps(catalog: Catalog) -> list[str]:
    """The texts that have no good translation, each with what is wrong."""
    faulty = []
    for message in catalog:
        if not message.id:
            continue
        if problem := fault(message, catalog):
            text = message.id if isinstance(message.id, str) else message.id[0]
            faulty.append(f"{problem}: {text}")
    return faulty


def fault(message: Message, catalog: Catalog) -> str:
    translations = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    if message.fuzzy:
        return "fuzzy"
    if not all(translations):
        return "no translation"
    formal = FORMAL.get(str(catalog.locale))
    if formal and any(formal.search(text) for text in translations):
        return "says u where we say je"
    errors = list(message.check(catalog))
    return str(errors[0]) if errors else ""


def check() -> int:
    """Every text of the code is in every catalogue, translated, with the same placeholders."""
    problems = []
    template = collect()
    for language in languages():
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True)
        problems += [f"{language}: {gap}" for gap in gaps(catalog)]
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            where = f"{file.relative_to(ROOT)}: a text in an f-string, line"
            problems += [f"{where} {line}" for line in in_f_strings(file.read_text())]
    print("\n".join(problems) or f"{len(template)} texts, all translated")
    return 1 if problems else 0


if __name__ == "__main__":
    action = sys.argv[1] if len(sys.argv) == 2 else ""
    if action not in ("update", "compile", "check"):
        sys.exit("Say what to do: update, compile or check.")
    sys.exit({"update": update, "compile": compile_catalogues, "check": check}[action]())
