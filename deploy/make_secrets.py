"""Draws the secrets of a Compose set-up at its first start; keeps them ever after.

    python deploy/make_secrets.py FOLDER

FOLDER gets a file a secret. Without the folder nobody gets into the database.
"""

import secrets
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def keep(file: Path, text: str) -> str:
    """The text of the file, which is written only if there is none."""
    with NamedTemporaryFile("w", dir=file.parent) as draft:
        draft.write(text)
        draft.flush()
        # One step: never half a file, and of two starts at once one decides.
        with suppress(FileExistsError):
            file.hardlink_to(draft.name)
    return file.read_text()


folder = Path(sys.argv[1])
keep(folder / "secret_key", secrets.token_urlsafe(48))
password = keep(folder / "database_password", secrets.token_urlsafe(24))
keep(folder / "database_url", f"postgresql://referral:{password}@db:5432/referral")
