"""Russian stands beside every English text: complete, compiled and up to date."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FOLDER = Path("locale/ru/LC_MESSAGES")
PO = polib.pofile(str(ROOT / FOLDER / "django.po"))

APPS = ("config", "users", "referrals", "webhooks", "limits")
GETTEXT = {"_", "gettext", "ngettext", "pgettext", "npgettext"}

Key = tuple[str | None, str]


def texts(catalogue: polib.POFile | polib.MOFile) -> dict[Key, object]:
    return {
        (entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr
        for entry in catalogue
        if not entry.obsolete
    }


def name_of(function: ast.expr) -> str:
    """`gettext` of both `gettext(…)` and `translation.gettext(…)`."""
    name: str = getattr(function, "id", getattr(function, "attr", ""))
    return name


def test_every_text_is_translated() -> None:
    assert [entry.msgid for entry in PO.untranslated_entries()] == []
    assert [entry.msgid for entry in PO.fuzzy_entries()] == []


@pytest.mark.parametrize("app", APPS)
def test_no_text_hides_in_an_f_string(app: str) -> None:
    """xgettext does not read inside f-strings."""
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in (ROOT / app).rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call)
        and name_of(call.func).removesuffix("_lazy") in GETTEXT
    ]
    assert hidden == []


def test_placeholders_are_kept() -> None:
    for entry in PO.translated_entries():
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            assert text.count("%(") == entry.msgid.count("%("), entry.msgid


def test_the_compiled_catalogue_is_fresh() -> None:
    assert texts(polib.mofile(str(ROOT / FOLDER / "django.mo"))) == texts(PO)


@pytest.mark.skipif(not shutil.which("xgettext"), reason="gettext is not installed")
def test_every_text_of_the_source_is_in_the_catalogue(tmp_path: Path) -> None:
    for name in (*APPS, "templates", "locale"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "manage.py", tmp_path)
    command = ["makemessages", "-l", "ru", "--no-location", "--no-obsolete"]
    subprocess.run(
        [sys.executable, "manage.py", *command], cwd=tmp_path, check=True, timeout=60
    )
    fresh = polib.pofile(str(tmp_path / FOLDER / "django.po"))
    assert set(texts(fresh)) == set(texts(PO))
