"""Numbers as addresses, forms and files bring them: text from outside that need not be one."""

import re

_DECIMAL = re.compile(r"[+-]?(\d{1,20}([.,]\d{0,20})?|[.,]\d{1,20})(e[+-]?\d{1,2})?", re.IGNORECASE)


def whole_number(text: str | None) -> int | None:
    """The number that up to nine plain digits write; None for anything else, as "²", "-1", or 5,000 digits."""
    return int(text) if text and len(text) <= 9 and text.isascii() and text.isdigit() else None


def decimal_number(text: str) -> float | None:
    """The number in a text, with a decimal point or a decimal comma; None for anything else, as "nan", "1_0" or "1,000.5"."""
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    return float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else None
