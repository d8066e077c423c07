"""What an error of sending means: whether a later attempt is of use, whether the mail may have gone, and in words."""

import smtplib

from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)


class UnsendableMail(Exception):
    """A mail that no later attempt can send: a bad address, or a header with a line break."""


OF_NO_USE = (
    UnsendableMail,
    AnymailRecipientsRefused,
    AnymailInvalidAddress,
    AnymailUnsupportedFeature,
    AnymailSerializationError,
)
OUR_SETTINGS = (401, 403)  # of a provider: a wrong or missing key, which gets repaired
TOO_MANY = 429


def is_final(error: Exception) -> bool:
    """Whether a later attempt is of no use: the mail is malformed, or was refused for good."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False  # our own settings are wrong: that gets repaired
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    if isinstance(error, AnymailAPIError):
        code = error.status_code or 0
        return 400 <= code < 500 and code not in (*OUR_SETTINGS, TOO_MANY)
    return isinstance(error, OF_NO_USE)


def may_have_gone(error: Exception) -> bool:
    """Whether a mail that was being handed over may have been taken: the line broke before the server's answer."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return True
    if isinstance(error, (smtplib.SMTPException, *OF_NO_USE)):
        return False
    if isinstance(error, AnymailAPIError):
        return error.status_code is None
    return isinstance(error, OSError)


def in_words(error: Exception) -> str:
    """The server's own answer where it gave one, else the kind of error."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
        return f"{code} {_text(answer)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, AnymailAPIError):
        return f"{error.esp_name}: {error.status_code or type(error).__name__}"  # its text repeats the mail's address
    return f"{type(error).__name__}: {error}"


def _text(answer: bytes | str) -> str:
    return " ".join((answer.decode(errors="replace") if isinstance(answer, bytes) else answer).split())
