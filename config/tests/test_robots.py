from urllib.robotparser import RobotFileParser

import pytest
from django.test import Client

OTHERS = "Googlebot"
PREVIEWS = "Twitterbot"


@pytest.fixture
def robots(client: Client) -> RobotFileParser:
    response = client.get("/robots.txt")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert not response.cookies
    parser = RobotFileParser()
    parser.parse(response.content.decode().splitlines())
    return parser


@pytest.mark.parametrize(
    "path",
    ["/login/?invite=7K9QXT", "/i/7K9QXT/", "/api/schema/", "/admin/", "/profile/"],
)
def test_crawlers_stay_away(robots: RobotFileParser, path: str) -> None:
    assert not robots.can_fetch(OTHERS, path)


@pytest.mark.parametrize("path", ["/", "/redoc/", "/static/style.css"])
def test_crawlers_may_read_the_front_page(robots: RobotFileParser, path: str) -> None:
    assert robots.can_fetch(OTHERS, path)


def test_shared_links_have_a_preview(robots: RobotFileParser) -> None:
    assert robots.can_fetch(PREVIEWS, "/i/7K9QXT/")
    assert robots.can_fetch(PREVIEWS, "/static/share.png")
    assert not robots.can_fetch(PREVIEWS, "/login/")
