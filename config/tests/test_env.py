"""Values of the environment are read typed, and bad ones refused by their names."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

FINGERPRINT = ":".join(["0A"] * 32)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REPLICA_DATABASE_URL"])
@pytest.mark.parametrize("scheme", ["cockroachdb://", "mysql://", "oracle://", ""])
def test_a_url_of_another_database_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
) -> None:
    """dj_database_url knows these, so they would be read as PostgreSQL's."""
    monkeypatch.setenv(name, f"{scheme}user:secret@host/referral")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.database(name, "")
    assert name in str(refused.value)
    assert "is not supported" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_secret_may_stand_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "x"
    file.write_text("from the file\n")
    monkeypatch.setenv("X_FILE", str(file))
    assert env.secret("X") == "from the file"
    monkeypatch.setenv("X", "from the environment")
    assert env.secret("X") == "from the environment"
    monkeypatch.delenv("X")
    file.write_text("\n")
    assert env.secret("X", "default") == "default"
    file.unlink()
    with pytest.raises(ImproperlyConfigured, match=r"^X_FILE: .* No such file"):
        env.secret("X")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.flag("X", default=False), "maybe"),
        (lambda: env.whole("X", 1, low=1, high=9), "one"),
        (lambda: env.whole("X", 1, low=1, high=9), "10"),
        (lambda: env.span("X", "1,2"), "2,1"),
        (lambda: env.span("X", "1,2"), "1,2,3"),
        (lambda: env.span("X", "1,2"), "-1"),
        (lambda: env.span("X", "1,2"), "soon"),
        (lambda: env.addresses("X"), "one:26379,two"),
        (lambda: env.addresses("X"), ":26379"),
        *(
            (lambda: env.base_url("X"), url)
            for url in (
                "referral.example.com",
                "https://",
                "//referral.example.com",
                "ftp://referral.example.com",
                "https://referral.example.com/referral",
                "https://referral.example.com/?a=1",
                "https://referral.example.com#top",
                "https://user@referral.example.com",
                "https://referral.example.com:port",
            )
        ),
        *(
            (lambda: env.origins("X"), origin)
            for origin in (
                "*",
                "null",
                "app.example.com",
                "https://*.example.com",
                "https://app.example.com/",
                "https://app.example.com/path",
                "https://app.example.com https://b.example.com",
                "https://a.example.com,b.example.com",
            )
        ),
        *(
            (lambda: env.android_apps("X"), app)
            for app in (
                "com.example.app",
                FINGERPRINT,
                f"app:{FINGERPRINT}",
                f"com.example.app:{FINGERPRINT[3:]}",
                f"com.example.app:{FINGERPRINT}:0A",
                f"com.example.app:{'0G' + FINGERPRINT[2:]}",
                f"com.example.app:{FINGERPRINT.replace(':', '')}",
            )
        ),
        *(
            (lambda: env.apple_apps("X"), app)
            for app in (
                "com.example.app",
                "ABCDE12345",
                "abcde12345.com.example.app",
                "ABCDE1234.com.example.app",
                "ABCDE12345.com.example.*",
            )
        ),
    ],
)
def test_a_bad_value_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, read: Any, value: str
) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        read()


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (lambda: env.text("X", "d"), " ", "d"),
        (lambda: env.text("X"), " a ", "a"),
        (lambda: env.flag("X", default=True), "", True),
        (lambda: env.flag("X", default=True), "Off", False),
        (lambda: env.flag("X", default=False), "1", True),
        (lambda: env.whole("X", 4, low=1, high=9), "", 4),
        (lambda: env.whole("X", 4, low=1, high=9), "9", 9),
        (lambda: env.words("X"), " a, b ,,", ["a", "b"]),
        (lambda: env.words("X"), "", []),
        (lambda: env.addresses("X"), "", []),
        (lambda: env.addresses("X"), "one:26379, two:1", [("one", 26379), ("two", 1)]),
        (lambda: env.base_url("X"), "", ""),
        (lambda: env.base_url("X"), "https://A.example:443/", "https://a.example"),
        (lambda: env.base_url("X"), "http://[::1]:8000", "http://[::1]:8000"),
        (lambda: env.origins("X"), "", []),
        (
            lambda: env.origins("X"),
            "https://App.example.com:443, http://localhost:3000,capacitor://localhost",
            [
                "https://app.example.com",
                "http://localhost:3000",
                "capacitor://localhost",
            ],
        ),
        (
            lambda: env.android_apps("X"),
            f"com.example.a:{FINGERPRINT},com.example.b:{FINGERPRINT.lower()},"
            f"com.example.a:{FINGERPRINT[::-1]}",
            {
                "com.example.a": [FINGERPRINT, FINGERPRINT[::-1]],
                "com.example.b": [FINGERPRINT],
            },
        ),
        (
            lambda: env.apple_apps("X"),
            "ABCDE12345.com.example.app, FGHIJ67890.app",
            ["ABCDE12345.com.example.app", "FGHIJ67890.app"],
        ),
        (lambda: env.span("X", "1,2"), "", (1.0, 2.0)),
        (lambda: env.span("X", "1,2"), "0", (0.0, 0.0)),
    ],
)
def test_values_are_read(
    monkeypatch: pytest.MonkeyPatch, read: Any, value: str, result: object
) -> None:
    monkeypatch.setenv("X", value)
    assert read() == result
