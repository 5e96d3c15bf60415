"""Take the guards away one at a time; a test must go red for each.

    python -m e2e.mutations

Works on a copy of the tree. Each row is a guard: file, its code, what stands there
without it, and the test that must notice.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
IGNORED = shutil.ignore_patterns(
    ".git", ".venv*", "*.sqlite3*", "__pycache__", ".*_cache"
)

RACES = "config/tests/test_races.py::test_"


class Guard(NamedTuple):
    what: str
    file: str
    code: str
    without: str
    test: str


GUARDS = [
    Guard(
        "1 a code is compared N times at most",
        "users/codes.py",
        "    if attempts_left < 0:\n        raise CodeExpired\n",
        "",
        f"{RACES}each_wrong_guess_of_a_burst_is_counted",
    ),
    Guard(
        "1 the guess is counted before it is compared",
        "users/codes.py",
        "guesses = cache.incr(code.life_key)",
        "guesses = cache.get(code.life_key) + 1; cache.set(code.life_key, guesses)",
        f"{RACES}each_wrong_guess_of_a_burst_is_counted",
    ),
    Guard(
        "2 a code signs in once",
        "users/codes.py",
        "    if not cache.delete(code.life_key):\n        raise CodeExpired",
        "    cache.get(code.life_key)",
        f"{RACES}the_right_code_50_times_signs_in_once",
    ),
    Guard(
        "3 one phone is one account",
        "users/migrations/0001_initial.py",
        'fields=("phone_number",)',
        'fields=("phone_number", "invite_code")',
        f"{RACES}20_first_sign_ins_make_one_account",
    ),
    Guard(
        "3 losing the race of first sign-ins is no error",
        "users/services.py",
        "    except IntegrityError:  # another first",
        "    except ZeroDivisionError:  # another first",
        f"{RACES}20_first_sign_ins_make_one_account",
    ),
    Guard(
        "4 a person activates one code (the look before the write)",
        "referrals/services.py",
        "        raise InviteCodeAlreadyActivated",
        "        return None",
        "referrals/tests/test_activation.py::test_a_second_code_is_refused",
    ),
    Guard(
        "4 a person activates one code (the primary key)",
        "referrals/services.py",
        "invitee_id=invitee.pk, inviter_id=inviter.pk, code_used=code",
        "invitee_id=invitee.pk, inviter_id=inviter.pk, code_used=code\n"
        "            ) if not Referral.objects.filter(pk=invitee.pk).delete() else (\n"
        "                Referral.objects.create(\n"
        "                    invitee_id=invitee.pk,\n"
        "                    inviter_id=inviter.pk,\n"
        "                    code_used=code,\n"
        "                )",
        "referrals/tests/test_activation.py::test_a_loser_of_the_race_is_told",
    ),
    Guard(
        "5 nobody invites themselves (the service)",
        "referrals/services.py",
        "        raise InviteCodeOwn",
        "        pass",
        "referrals/tests/test_activation.py::test_one_s_own_code_is_refused",
    ),
    Guard(
        "5 nobody invites themselves (the constraint)",
        "referrals/migrations/0001_initial.py",
        '("inviter", models.F("invitee")), _negated=True',
        '("code_used", ""), _negated=True',
        "referrals/tests/test_activation.py"
        "::test_the_database_alone_refuses_inviting_oneself",
    ),
    Guard(
        "6 every person has an invite code (the constraint)",
        "users/migrations/0001_initial.py",
        '("invite_code__regex", "^',
        '("invite_code__regex", "^$|^',
        "users/tests/test_users.py::test_the_database_alone_refuses_a_malformed",
    ),
    Guard(
        "6 a taken invite code is drawn again",
        "users/models.py",
        "if not (code_is_taken and draws_left):",
        "if True:",
        "users/tests/test_users.py::test_a_taken_invite_code_is_drawn_again",
    ),
    Guard(
        "7 a failed sign-in leaves nothing behind",
        "users/services.py",
        "    with transaction.atomic():\n        user, is_new",
        "    if True:\n        user, is_new",
        "users/tests/test_sign_in.py"
        "::test_a_failure_on_the_way_leaves_nothing_and_keeps_the_code",
    ),
    Guard(
        "7 a failed SMS costs no send",
        "users/services.py",
        "        codes.release_send(phone_number)\n",
        "",
        "users/tests/test_request_code.py::test_a_failed_sms_is_told_and_costs_nothing",
    ),
    Guard(
        "7 a refused invite code does not spend the login code",
        "users/services.py",
        "    code = codes.check(phone_number, digits)\n",
        "    code = codes.check(phone_number, digits)\n    codes.spend(code)\n",
        "users/tests/test_sign_in.py"
        "::test_an_unknown_invite_code_is_refused_before_the_code_is_spent",
    ),
    Guard(
        "8 queries of the list do not grow with the data",
        "referrals/models.py",
        '            .select_related("invitee")\n',
        "",
        "referrals/tests/test_list.py::test_the_list_takes_two_queries",
    ),
    Guard(
        "8 token, user and activation come in one query",
        "users/authentication.py",
        'Token.objects.live().select_related("user__activation")',
        "Token.objects.live()",
        "users/tests/test_tokens.py::test_token_user_and_activation_come_in_one_query",
    ),
    Guard(
        "one SMS at a time",
        "users/codes.py",
        "if not cache.add(key, time.time() + wait, wait):",
        "if cache.get(key) or cache.set(key, time.time() + wait, wait):",
        f"{RACES}50_code_requests_send_one_sms",
    ),
    Guard(
        "codes are not shown when SMS are real",
        "users/services.py",
        "show = settings.SHOW_LOGIN_CODES and backend_class().simulated",
        "show = settings.SHOW_LOGIN_CODES",
        "users/tests/test_request_code.py::test_the_code_is_hidden_when_the_sms_is_real",
    ),
    Guard(
        "a closed account's tokens are dead",
        "users/models.py",
        "expires_at__gt=timezone.now(), user__is_active=True",
        "expires_at__gt=timezone.now()",
        "users/tests/test_tokens.py::test_closing_the_account_ends_its_tokens",
    ),
]


def survives(guard: Guard, tree: Path) -> bool:
    """Whether the test stays green without the guard; the tree is left as it was."""
    path = tree / guard.file
    source = path.read_text(encoding="utf-8")
    if source.count(guard.code) != 1:
        sys.exit(f"{guard.what}: its code stands {source.count(guard.code)} times")
    path.write_text(source.replace(guard.code, guard.without), encoding="utf-8")
    try:
        # A race may be won by luck: what is unguarded must be caught in three runs.
        return all(_passes(guard.test, tree) for _ in range(3))
    finally:
        path.write_text(source, encoding="utf-8")


def _passes(test: str, tree: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    result = subprocess.run(
        [*command, "--create-db", test], cwd=tree, capture_output=True, text=True
    )
    if result.returncode > 1:
        sys.exit(f"{test} did not run:\n{result.stdout}{result.stderr}")
    return result.returncode == 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=IGNORED))
        tests = {guard.test for guard in GUARDS}
        broken = [test for test in tests if not _passes(test, tree)]
        if broken:
            sys.exit(f"red already with every guard in place: {broken}")
        survivors = []
        for guard in (rows := tqdm(GUARDS, unit="guard")):
            rows.set_description(guard.what[:40])
            if survives(guard, tree):
                survivors.append(guard)
    for guard in survivors:
        print(f"not noticed: {guard.what}\n  {guard.test}")
    print(f"{len(GUARDS) - len(survivors)} of {len(GUARDS)} guards are noticed missing")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
