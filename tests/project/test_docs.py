"""The documentation says what is there, all of it, in English and in Russian."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.utils.text import slugify

from config import limit_defaults
from config.refusals import NotFound, NotSignedIn, Refusal
from tests.project.test_schema import schema
from users.login import takeover_risk as risk

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
RUSSIAN = [page for page in PAGES if page.name.endswith(".ru.md")]
FENCE = re.compile(r"^ *```([^`\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Read by those who change or audit the code, who read English.
ENGLISH_ONLY = {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "asvs.md"}
# What stands in .env.example to be replaced, and is no default.
TO_BE_FILLED_IN = {"ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "TRUSTED_PROXY_COUNT"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    return FENCE.sub("", text)


def env_example() -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE))


def operations(page: str) -> list[tuple[str, str]]:
    """Method and path of each line of the table of requests, in order."""
    rows = re.findall(r"^\| ([A-Z]+) \| `(/[^`]+)` \|", read(page), re.MULTILINE)
    return [(method, re.sub(r"{\w+}", "{}", path)) for method, path in rows]


def refusals(base: type[Refusal] = Refusal) -> set[str]:
    below = {name for sub in base.__subclasses__() for name in refusals(sub)}
    named = {sub.code for sub in base.__subclasses__() if hasattr(sub, "code")}
    return (below | named) - {NotFound.code, NotSignedIn.code}  # DRF's own codes


def test_the_table_of_variables_is_that_of_env_example() -> None:
    row = r"^\| `([A-Z_]+)` \| (.+?) \|"
    told = re.findall(row, read("docs/configuration.md"), re.MULTILINE)
    example = env_example()
    names = [name for name, _ in told]
    assert len(names) == len(set(names))
    assert set(names) == set(example)
    for name, default in told:
        if example[name] and name not in TO_BE_FILLED_IN:
            assert default == f"`{example[name]}`", name


def test_env_example_shows_the_defaults_of_the_code() -> None:
    literal = r'env\.\w+\(\s*"([A-Z_]+)",\s*(?:default=)?(?:f?"([^"]*)"|(\d+))'
    found = re.findall(literal, read("config/settings.py"))
    defaults = {
        name: text or number for name, text, number in found
    } | limit_defaults.DEFAULTS
    example = env_example()
    compared = set()
    for name, default in defaults.items():
        if name not in TO_BE_FILLED_IN:
            assert example[name] == default, name
            compared.add(name)
    assert {"PORT", "LOGIN_CODE_GROWTH", "LIMIT_GUESSES_PER_PHONE_MONTH"} <= compared


@pytest.mark.parametrize("page", ["docs/api.md", "docs/api.ru.md"])
def test_the_table_of_the_api_is_whole(page: str) -> None:
    there = {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, methods in schema()["paths"].items()
        for method in methods
    }
    told = operations(page)
    assert len(told) == len(set(told))
    assert set(told) == there


@pytest.mark.parametrize("page", ["docs/api.md", "docs/api.ru.md"])
def test_the_table_of_errors_is_whole(page: str) -> None:
    told = re.findall(r"^\| `(\w+)` \| \d{3} \|", read(page), re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(told) == refusals()


def test_pages_have_russian_twins() -> None:
    english = [page for page in PAGES if page not in RUSSIAN]
    to_translate = {page for page in english if page.name not in ENGLISH_ONLY}
    assert {page.with_suffix(".ru.md") for page in to_translate} == set(RUSSIAN)
    for page in to_translate:
        assert f"\n\n[Русский]({page.stem}.ru.md)\n" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", RUSSIAN, ids=lambda page: page.name)
def test_the_russian_page_is_the_english_one(page: Path) -> None:
    name = str(page.relative_to(ROOT))
    twin = name.replace(".ru.md", ".md")
    assert operations(name) == operations(twin)
    english, russian = read(twin), read(name)
    assert FENCE.findall(russian) == FENCE.findall(english)
    # Markers of the blocks that tests run.
    english, russian = (re.sub(r"<!-- .*? -->\n", "", t) for t in (english, russian))
    english, russian = prose(english), prose(russian)
    for shape in (r"^#+ ", r"^ *(?:\||- |\d+\. )"):
        pattern = re.compile(shape, re.MULTILINE)
        assert pattern.findall(russian) == pattern.findall(english)
    # Commands, names and links, in whatever order a sentence wants them.
    english, russian = (re.sub(r"\.ru\.md\b", ".md", t) for t in (english, russian))
    each_other = {Path(twin).name}
    for exact in (r"`[^`\n]+`", r"\]\(([\w./-]+)", r'src="([^"]+)"', r"<(http[^>]+)>"):
        there, here = (set(re.findall(exact, text)) for text in (english, russian))
        assert here - each_other == there - each_other


@pytest.mark.parametrize("page", RUSSIAN, ids=lambda page: page.name)
def test_russian_pages_link_to_russian_pages(page: Path) -> None:
    links = re.findall(r"\]\(([\w./-]+)", prose(page.read_text(encoding="utf-8")))
    twin = page.name.replace(".ru.md", ".md")
    assert twin in links
    for link in links:
        target = (page.parent / link).resolve()
        if link != twin:
            assert target.with_suffix(".ru.md") not in RUSSIAN, link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = prose(page.read_text(encoding="utf-8"))
    links = re.findall(r'(?:\]\(|src=")([^)"\s]+)', text)
    for link in links:
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            body = prose(target.read_text(encoding="utf-8"))
            headings = re.findall(r"^#+ (.+)$", body, re.MULTILINE)
            assert anchor in {slugify(h, allow_unicode=True) for h in headings}, link


def test_commands_that_are_told_exist() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    commands = set(re.findall(r"manage\.py (\w+)", pages))
    assert {"check_limits", "staff_token", "prune"} <= commands <= set(get_commands())
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", read("Makefile"), re.MULTILINE))
    told = set(re.findall(r"(?:`|^)make ([a-z][a-z0-9-]*)", pages, re.MULTILINE))
    assert {"run", "test", "e2e"} <= told <= targets


def test_files_that_are_named_exist() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"`((?:\w+/)+\w+\.\w+)`", pages))
    ours = {path for path in named if (ROOT / path.split("/")[0]).is_dir()}
    assert "users/login/guess_limits.py" in ours
    assert [path for path in sorted(ours) if not (ROOT / path).exists()] == []


def test_the_odds_that_are_told_are_those_of_the_limits() -> None:
    odds = 100 * (risk.takeover_chance() + risk.takeover_chance_by_known_devices())
    accounts = risk.accounts_of_service()
    assert f"**{odds:.2f}% a year**" in read("SECURITY.md")
    assert f"**{accounts:.1f} accounts a year**" in read("SECURITY.md")
    assert f" {odds:.2f}% in a year" in read("README.md")
    assert f" {odds:.2f} % за год".replace(".", ",") in read("README.ru.md")


def test_pictures_are_shown_and_small() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    for picture in pictures:
        assert f"pictures/{picture.name}" in pages
        assert picture.stat().st_size <= 60 * 1024, f"{picture.name}: `make pictures`"
