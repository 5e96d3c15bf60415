"""Generate the secrets for Docker Compose at the first start; later starts keep them.

    python deploy/make_secrets.py FOLDER

FOLDER has one folder per reader: `app`, `database` and `cache`. Each is mounted only
into the containers that read it. Without these files the database cannot be opened.
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


def give(file: Path, text: str) -> None:
    """Keep a secret for PostgreSQL or Redis, whose users are not ours."""
    keep(file, text)
    file.chmod(0o644)


folder = Path(sys.argv[1])
app, database, cache = (folder / name for name in ("app", "database", "cache"))
keep(app / "secret_key", secrets.token_urlsafe(48))
password = keep(app / "database_password", secrets.token_urlsafe(24))
keep(app / "database_url", f"postgresql://referral:{password}@db:5432/referral")
give(database / "password", password)
give(database / "superuser_password", secrets.token_urlsafe(24))
password = keep(app / "redis_password", secrets.token_urlsafe(24))
keep(app / "redis_url", f"redis://:{password}@cache:6379/0")
give(cache / "redis.conf", f"requirepass {password}\n")
