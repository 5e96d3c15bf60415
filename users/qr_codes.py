from io import BytesIO

import segno
from django.utils.safestring import mark_safe


def qr_code(text: str) -> str:
    """An inline SVG, always dark on white: phones do not find light on dark."""
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(border=2, dark="#000", light="#fff", omitsize=True)
    return mark_safe(svg)  # noqa: S308  segno draws it; it does not contain the text


def qr_code_png(text: str) -> bytes:
    file = BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(file, kind="png", scale=16, border=4, dark="#000", light="#fff")
    return file.getvalue()
