"""Names under which something is kept do not follow the modules: a salt that changes makes every hash and link of before worthless."""

import ast
from collections.abc import Iterator

from scripts.setup import ROOT

APPS = ("teams", "surveys", "analysis", "config")
TAKES_A_NAME = ("salted_hmac", "digests", "Chore", "_handle", "Signer", "dumps", "loads")
#: What rows, links, cookies, files and logs carry today. A new one is added; none is ever changed.
KEPT = {
    "analysis.dataset.open_text",
    "analysis.delete_study",
    "analysis.exports.team",
    "analysis.look_back",
    "analysis.outdated_files",
    "analysis.request_run",
    "analysis.withdraw",
    "surveys.begun_on_device",
    "surveys.device",
    "surveys.handle",
    "surveys.holder",
    "surveys.link_handle",
    "surveys.look_at_key",
    "surveys.offer.",
    "surveys.open",
    "surveys.picture",
    "surveys.response_key.",
    "surveys.returned",
    "surveys.row_key",
    "surveys.seal",
    "surveys.seal_list",
    "surveys.send_round",
    "teams.filled",
    "teams.link_codes",
    "teams.links.",
    "teams.mail_server",
    "teams.mailbox",
    "teams.read_bounce",
    "teams.refusals",
    "teams.remind",
    "teams.reminders_lost",
    "teams.schedule",
    "teams.sign_in_mails",
    "teams.tell_retention",
    "teams.typed.person",
    "teams.vouched_by",
}


def names_in(tree: ast.AST) -> Iterator[str]:
    """The names that a module gives to what it keeps; of one with a number in it, what stands before the number."""
    constants = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called not in TAKES_A_NAME:
            continue
        given = [keyword.value for keyword in call.keywords if keyword.arg == "salt"] or call.args[:1]
        for value in given:
            value = constants.get(value.id, value) if isinstance(value, ast.Name) else value
            value = value.values[0] if isinstance(value, ast.JoinedStr) else value
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and "." in value.value:
                yield value.value


def test_a_name_under_which_something_is_kept_stays() -> None:
    modules = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    assert {name for path in modules for name in names_in(ast.parse(path.read_text()))} == KEPT


def test_a_name_is_found_wherever_it_stands() -> None:
    text = """
SALT = "a.constant"
signing.dumps({}, salt=SALT)
salted_hmac("a.hash", value)
Signer(salt=f"a.link.{purpose}")
THING = Chore("a.job", most=5)
"""
    assert set(names_in(ast.parse(text))) == {"a.constant", "a.hash", "a.link.", "a.job"}
