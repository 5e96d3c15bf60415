"""The files of Android and iOS say which apps may open which links."""

import pytest
from django.conf import LazySettings
from django.test import Client

ANDROID = "/.well-known/assetlinks.json"
APPLE = "/.well-known/apple-app-site-association"
FINGERPRINTS = [":".join([pair] * 32) for pair in ("0A", "FF")]


def test_android_apps_are_listed_with_their_certificates(
    client: Client, settings: LazySettings
) -> None:
    settings.ANDROID_APP_LINKS = {
        "com.example.app": FINGERPRINTS,
        "com.example.beta": FINGERPRINTS[:1],
    }
    response = client.get(ANDROID)
    assert response.json() == [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": package,
                "sha256_cert_fingerprints": fingerprints,
            },
        }
        for package, fingerprints in settings.ANDROID_APP_LINKS.items()
    ]


def test_apple_apps_may_open_invite_links_only(
    client: Client, settings: LazySettings
) -> None:
    settings.APPLE_APP_LINKS = ["ABCDE12345.com.example.app"]
    response = client.get(APPLE)
    assert response.json() == {
        "applinks": {
            "details": [
                {
                    "appIDs": ["ABCDE12345.com.example.app"],
                    "components": [{"/": "/i/*"}],
                }
            ]
        }
    }


@pytest.mark.parametrize("path", [ANDROID, APPLE])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_files_are_json_and_may_be_kept_for_an_hour(
    client: Client, settings: LazySettings, path: str, method: str
) -> None:
    settings.ANDROID_APP_LINKS = {"com.example.app": FINGERPRINTS}
    settings.APPLE_APP_LINKS = ["ABCDE12345.com.example.app"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.generic(method, path, secure=True)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "public, max-age=3600"
    assert not response.cookies


@pytest.mark.parametrize("path", [ANDROID, APPLE])
def test_without_apps_there_is_no_file(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response["Cache-Control"] == "no-store"
    assert client.post(path).status_code == 405
