import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.beside import FRESH

CLIENT = """
import sys
from fresh.wsgi import application
from django.test import Client
headers = {"Host": "127.0.0.1", "Authorization": sys.argv[1]}
print(Client(headers=headers).get("/bare/").content)
"""


@pytest.mark.slow
def test_the_fresh_project_can_be_made(tmp_path: Path) -> None:
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }
    prepare = [str(FRESH / "benchmark"), "prepare"]
    printed = subprocess.check_output(prepare, cwd=tmp_path, env=env, text=True)
    path, authorization = printed.splitlines()[-2:]
    assert path == "/bare/"
    ask = [sys.executable, "-c", CLIENT, authorization]
    assert "id" in subprocess.check_output(ask, cwd=tmp_path, env=env, text=True)
