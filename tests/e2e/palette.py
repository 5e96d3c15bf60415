"""Make PNG files smaller, by at most 256 colours. For `make pictures`; needs Pillow.

python tests/e2e/palette.py FILE…
"""

import sys

from PIL import Image  # type: ignore[import-not-found,unused-ignore]  # of the caller

for path in sys.argv[1:]:
    picture = Image.open(path).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
