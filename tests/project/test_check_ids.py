"""The id of a system check, by which operators find and silence it."""

import re
from collections import Counter
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
APPS = ("config", "users", "referrals", "webhooks", "limits")
ID = re.compile(r'"(config\.[A-Z]\d{3})"')


def test_every_id_has_one_meaning() -> None:
    modules = [path for app in APPS for path in (ROOT / app).rglob("checks.py")]
    found = Counter(id_ for path in modules for id_ in ID.findall(path.read_text()))
    assert found
    assert [id_ for id_, times in found.items() if times > 1] == []
