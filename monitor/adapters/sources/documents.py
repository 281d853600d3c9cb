"""Office documents as text: one paragraph or table row a line."""

import io
import zipfile
import zlib
from typing import Any, Final

from monitor.adapters.sources.model import CHUNK, ByteStream
from monitor.domain.errors import InputError
from monitor.domain.phrases import phrase

MOST: Final = 50_000_000
_MOST_TEXT: Final = 10_000_000
"""Bytes of XML, which become some ten times as many objects."""

_BROKEN: Final = (OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, SyntaxError, RuntimeError,
                  AssertionError, zlib.error, zipfile.BadZipFile, zipfile.LargeZipFile)
"""What a file that is no document, or a broken one, makes its readers raise."""


def text_of_docx(stream: ByteStream) -> io.BytesIO:
    """The paragraphs and table rows in their order, as UTF-8 lines. Raises InputError."""
    try:
        import docx
        from docx.exceptions import PythonDocxError
        from docx.opc.exceptions import OpcError
    except ImportError:
        raise InputError("reading .docx needs the extra 'documents'",
                         hint="pip install 'redpost[documents]', or save the script as .txt") from None
    data = io.BytesIO()
    while len(chunk := stream.read(CHUNK)) and data.tell() <= MOST:
        data.write(chunk)
    if data.tell() > MOST:
        raise InputError(phrase("the document has more than {most} bytes", most=f"{MOST:,}"),
                         hint="remove its pictures, or save it as .txt")
    try:
        with zipfile.ZipFile(data) as parts:
            _check_size(parts)
        body = docx.Document(data).element.body
        lines = [_text(block) for block in body.xpath("./w:p | ./w:tbl//w:tr")]
    except (*_BROKEN, PythonDocxError, OpcError) as error:
        raise InputError(phrase("this is no Word document: {error}", error=error),
                         hint="save it again as .docx, or as .txt") from error
    return io.BytesIO("\n".join(line.replace("\n", " ") for line in lines).encode())


def _check_size(parts: zipfile.ZipFile) -> None:
    """Raises InputError for what would unpack to too much; no part yields more than it says here."""
    words = sum(part.file_size for part in parts.infolist() if part.filename.lower().endswith((".xml", ".rels")))
    if words > _MOST_TEXT or sum(part.file_size for part in parts.infolist()) > MOST:
        raise InputError(phrase("the document unpacks to more than {text} bytes of text, or {most} in all",
                                text=f"{_MOST_TEXT:,}", most=f"{MOST:,}"),
                         hint="remove its pictures, send it in parts, or save it as .txt")


def _text(block: Any) -> str:
    """Of a paragraph, or of the cells of a row as they are in the file, however many columns one says that it spans."""
    cells = block.xpath("./w:tc")
    if not cells:
        return str(block.text or "")
    texts = ("\n".join(paragraph.text for paragraph in cell.xpath("./w:p")).strip() for cell in cells)
    return " ".join(dict.fromkeys(filter(None, texts)))
