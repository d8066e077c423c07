"""Whole numbers as addresses and forms bring them: text from outside that need not be one."""


def whole_number(text: str | None) -> int | None:
    """The number that up to nine plain digits write; None for anything else, as "²", "-1", or 5,000 digits."""
    return int(text) if text and len(text) <= 9 and text.isascii() and text.isdigit() else None
