"""T21: formulas in exported files."""

import csv
import io
import unicodedata

from tests.attacks.attacker import Target
from tests.attacks.browser import Browser
from tests.attacks.conftest import Lab, Report
from tests.lab.shared import new_phone_number

VERIFY = "/api/auth/verify-code/"


# A spreadsheet treats a cell that begins with a letter as text.
FORMULAS = [
    '=HYPERLINK("http://evil.example";"Open")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    " =1+1",
    "＝1+1",
    "'=1+1",
    "Anna;=1+1",
    '","=1+1',
    'a"\n=1+1',
]


def test_t21_export_contains_no_formulas(
    lab: Lab, target: Target, report: Report, staff: Browser
) -> None:
    browser = Browser(target)
    for text in FORMULAS:
        browser.sign_in(new_phone_number())
        saved = browser.post("/profile/edit/", first_name=text, last_name="", email="")
        assert saved.status_code in {302, 400}  # 400: a line break in a name
        browser.close()
        browser = Browser(target)
    browser.close()
    sheet = staff.post("/admin/users/user/export/", form="/admin/users/user/")
    assert sheet.status_code == 200
    text = sheet.content.decode("utf-8-sig")
    rows = len(list(csv.reader(io.StringIO(text))))
    cells = [
        cell
        for separator in ",;\t"
        for row in csv.reader(io.StringIO(text), delimiter=separator)
        for cell in row
    ]
    run = [cell for cell in cells if unicodedata.normalize("NFKC", cell)[:1] in RISKY]
    everyone = lab.rows("SELECT count(*) FROM users_user")[0][0]
    report(
        "T21",
        f"{len(FORMULAS)} formulas as names, {rows} rows, 3 separators",
        f"{len(run)} cells that a spreadsheet would run",
    )
    assert run == []
    assert rows == everyone + 1
    assert text.count("1+1") > 5  # else the test tests nothing


RISKY = tuple("=+-@\t\r\n")
