"""Browser sessions, stored under a digest of their key.

A stolen table of sessions signs nobody in.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone


class SessionStore(db.SessionStore):
    was_ended = False  # in this request, by signing out

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def exists(self, session_key: str | None) -> bool:
        return super().exists(_stored(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(_stored(key))

    def flush(self) -> None:
        super().flush()
        self.was_ended = True

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = _stored(row.session_key)
        return row

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        live = Session.objects.filter(expire_date__gt=timezone.now())
        row = live.filter(session_key=_stored(self.session_key)).first()
        if row is None:
            self._session_key = None
        return row


def _stored(key: str | None) -> str:
    # 40 characters, the length of the column, are 160 bits of the digest.
    return hashlib.sha256((key or "").encode()).hexdigest()[:40]
