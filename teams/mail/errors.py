"""What an error of sending means: whether a later attempt is of use, whether the mail may have gone, and in words."""

import smtplib

from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError


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


CLOSING = 421
TOO_LARGE = 552  # said at MAIL FROM, and yet about this mail


def is_the_servers(error: Exception) -> bool:
    """Whether an error tells of the server or our settings, and nothing about the mail at which it came: the next would fail too."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code == CLOSING for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPSenderRefused):
        return error.smtp_code != TOO_LARGE
    if isinstance(error, (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError)):
        return True
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == CLOSING
    if isinstance(error, AnymailAPIError):
        code = error.status_code
        return code is None or code in (*OUR_SETTINGS, TOO_MANY) or code >= 500
    if isinstance(error, smtplib.SMTPException):
        return isinstance(error, smtplib.SMTPServerDisconnected)
    return isinstance(error, OSError)


def never_connected(error: BaseException | None) -> bool:
    """Whether the line was never there, so that nothing can have gone; of a provider the library says so further down."""
    while error is not None:
        if isinstance(error, (ConnectionRefusedError, NewConnectionError, ConnectTimeoutError)):
            return True
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else None
        error = inner or error.__cause__ or error.__context__ or _first_argument(error)
    return False


def _first_argument(error: BaseException) -> BaseException | None:
    return next(
        (argument for argument in error.args if isinstance(argument, BaseException) and argument is not error), None
    )


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
    if never_connected(error):
        return False
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
