"""Office documents as text: one paragraph or table row a line."""

import io
import zipfile
from typing import Final

from monitor.adapters.sources.model import CHUNK, ByteStream
from monitor.domain.errors import InputError

MOST: Final = 50_000_000


def text_of_docx(stream: ByteStream) -> io.BytesIO:
    """The paragraphs and table rows in their order, as UTF-8 lines. Raises InputError."""
    try:
        import docx
    except ImportError:
        raise InputError("reading .docx needs the extra 'documents'",
                         hint="pip install 'redpost[documents]', or save the script as .txt") from None
    data = io.BytesIO()
    while len(chunk := stream.read(CHUNK)) and data.tell() <= MOST:
        data.write(chunk)
    if data.tell() > MOST:
        raise InputError(f"the document has more than {MOST:,} bytes", hint="remove its pictures, or save it as .txt")
    try:
        document = docx.Document(data)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"this is no Word document: {error}", hint="save it again as .docx, or as .txt") from error
    lines = []
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            lines += [" ".join(dict.fromkeys(cell.text.strip() for cell in row.cells)) for row in block.rows]
        else:
            lines.append(block.text)
    return io.BytesIO("\n".join(line.replace("\n", " ") for line in lines).encode())
