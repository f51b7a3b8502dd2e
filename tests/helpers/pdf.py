"""PDF files whose texts stand where a test puts them."""

from __future__ import annotations

from collections.abc import Iterable

WIDTH, HEIGHT = 595, 842  # of A4 paper in points
Piece = tuple[float, float, str]  # from the left, from the top, text


def draw_pdf(*pages: Iterable[Piece], size: float = 11) -> bytes:
    """A PDF with each piece of text at its place, in Helvetica."""
    streams = []
    for pieces in pages:
        shown = "".join(f"1 0 0 1 {x} {HEIGHT - y} Tm ({_escape(text)}) Tj\n" for x, y, text in pieces)
        streams.append(f"BT /F1 {size} Tf\n{shown}ET")
    return make_pdf(streams)


def make_pdf(streams: Iterable[str]) -> bytes:
    """A PDF with the content stream of each page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    kids = []
    for stream in streams:
        objects.append(f"<< /Length {len(stream.encode('cp1252'))} >>\nstream\n{stream}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {len(objects)} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    return out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def set_lines(lines: Iterable[str], x: float = 60, y: float = 80, leading: float = 14) -> list[Piece]:
    """Lines below one another; an empty line leaves a gap of half a line, spaces before a text indent it."""
    pieces = []
    for line in lines:
        if not line:
            y += leading / 2
            continue
        pieces.append((x + 4 * (len(line) - len(line.lstrip())), y, line.strip()))
        y += leading
    return pieces
