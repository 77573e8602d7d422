"""A QR code as a drawing inside the page: no file, no address, nothing kept."""

import segno
from markupsafe import Markup


def qr_of(uri: str) -> Markup:
    return Markup(segno.make(uri, error="m").svg_inline(border=2, omitsize=True))  # noqa: S704 (made here, of paths alone)
