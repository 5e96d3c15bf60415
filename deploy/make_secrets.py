"""Generate the secrets for Docker Compose at the first start; later starts keep them.

    python deploy/make_secrets.py FOLDER

Writes one file per secret to FOLDER. Without these files the database cannot be opened.
"""

import secrets
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def keep(file: Path, text: str) -> str:
    """Write the file unless it exists. Return what it contains."""
    with NamedTemporaryFile("w", dir=file.parent) as draft:
        draft.write(text)
        draft.flush()
        # Linking is atomic: no half-written file, and only one of two starts wins.
        with suppress(FileExistsError):
            file.hardlink_to(draft.name)
    return file.read_text()


folder = Path(sys.argv[1])
keep(folder / "secret_key", secrets.token_urlsafe(48))
keep(folder / "database_superuser_password", secrets.token_urlsafe(24))
password = keep(folder / "database_password", secrets.token_urlsafe(24))
keep(folder / "database_url", f"postgresql://referral:{password}@db:5432/referral")
password = keep(folder / "redis_password", secrets.token_urlsafe(24))
keep(folder / "redis_url", f"redis://:{password}@cache:6379/0")
