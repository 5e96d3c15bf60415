"""The lock files pin what the requirements files pin."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(settings.BASE_DIR)
NAMES = ["requirements", "requirements-dev", "requirements-deploy"]
OTHER_SYSTEMS = ("win32", "emscripten")


def pins(file: str) -> dict[str, str]:
    """Versions by package, without packages that only other systems need."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (re.split(r"\s#|\s--hash", line)[0] for line in text.splitlines())
    found = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {
        canonicalize_name(one.name): str(one.specifier)
        for one in found
        if not any(system in str(one.marker) for system in OTHER_SYSTEMS)
    }


def test_lock_of_the_service_has_the_packages_of_its_requirements() -> None:
    assert pins("requirements.lock") == pins("requirements.txt")


@pytest.mark.parametrize("name", NAMES)
def test_lock_has_the_versions_of_the_requirements(name: str) -> None:
    locked = pins(f"{name}.lock")
    assert pins(f"{name}.txt").items() <= locked.items()


def test_tests_run_with_the_versions_of_the_service() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("name", NAMES)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    packages = re.split(r"\n(?=\S)", text.strip())
    assert packages
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text
    assert "index" not in text
