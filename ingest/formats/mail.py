"""E-mail: single messages, and boxes of many, in which each message is a section under its subject.

Attachments are named, and not read.
"""

import datetime
import email.policy
import email.utils
import re
from collections.abc import Iterator
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser

from ingest.formats.converted import converted
from ingest.formats.encoding import decode
from ingest.formats.html import html_to_markdown
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

_HEADERS = ("From", "To", "Cc", "Date")
_NEXT_MESSAGE = re.compile(rb"^From [^\n]*\d{4}\r?\n", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_BROKEN = (LookupError, ValueError, AttributeError, TypeError)


class MailLoader:
    """Reads EML."""

    media_type = "message/rfc822"
    extensions = (".eml",)
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a message; its title is the subject, its date the day on which it was sent.

        Raises:
            UnreadableFile: It is empty or no message.
        """
        if not data.strip():
            raise UnreadableFile("the file is empty")
        message = _parsed(data)
        if not any(message.keys()):
            raise UnreadableFile("no message: it has no header", "save it again from your mail program")
        subject, text = _header(message, "Subject"), "\n\n".join(_parts(message))
        return converted(name, self.media_type, [text], title=subject, date=_date(message))


class MailboxLoader:
    """Reads MBOX."""

    media_type = "application/mbox"
    extensions = (".mbox",)
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a box of messages.

        Raises:
            UnreadableFile: It is empty, or no box.
        """
        if not data.strip():
            raise UnreadableFile("the file is empty")
        messages = [_parsed(_QUOTED_FROM.sub(rb"\1", each)) for each in _NEXT_MESSAGE.split(data)[1:]]
        if not messages:
            raise UnreadableFile("no box of messages: no line begins one", "export it again from your mail program")
        texts = [
            "\n\n".join([f"# {_header(each, 'Subject') or _header(each, 'From') or '?'}", *_parts(each)])
            for each in messages
        ]
        return converted(name, self.media_type, texts, heading_is_title=False)


def _parsed(data: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(data)


def _parts(message: EmailMessage) -> Iterator[str]:
    yield _headers(message)
    yield _body(message)
    others = list(message.iter_attachments()) if message.is_multipart() else []
    for part in others:
        if part.get_content_maintype() == "text" and not part.get_filename():
            yield _content(part)
        for forwarded in part.iter_parts() if part.get_content_type() == "message/rfc822" else ():
            yield f"Subject: {_header(forwarded, 'Subject')}\n{_headers(forwarded)}"
            yield _body(forwarded)
    if attached := [name for part in others if (name := part.get_filename())]:
        yield f"Attachments, not read: {', '.join(attached)}"


def _headers(message: MIMEPart) -> str:
    return "\n".join(f"{name}: {value}" for name in _HEADERS if (value := _header(message, name)))


def _body(message: MIMEPart) -> str:
    """Its plain text, and where that is empty, what its HTML says."""
    for kind in ("plain", "html"):
        try:
            body = message.get_body((kind,))
        except _BROKEN:  # parts that do not fit together
            continue
        content = _content(body) if isinstance(body, MIMEPart) else ""
        if content.strip():
            return content
    return ""


def _content(part: MIMEPart) -> str:
    try:
        content = str(part.get_content())
    except _BROKEN:  # an unknown encoding
        payload = part.get_payload(decode=True)
        content = decode(payload) if isinstance(payload, bytes) else ""
    return html_to_markdown(content) if part.get_content_subtype() == "html" else content


def _header(message: MIMEPart, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except _BROKEN:  # the standard library reads headers late, and fails on some
        return ""


def _date(message: EmailMessage) -> datetime.date | None:
    try:
        return email.utils.parsedate_to_datetime(_header(message, "Date")).date()
    except (TypeError, ValueError):
        return None
