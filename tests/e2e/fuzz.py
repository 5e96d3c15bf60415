"""Let schemathesis try everything that the schema allows, and much that it does not.

    python -m tests.lab.servers real python -m tests.e2e.fuzz

Without a token, with a person's and with staff's, all checks but one: that data which
fits the schema is accepted. Whether a code is the right one no schema can say.
"""

import os
import subprocess
import sys

from tests.e2e.conftest import Server, new_phone_number


def main() -> int:
    server = Server(os.environ["BASE_URL"])
    runs = {
        "without a token": "",
        "with a token": server.sign_in(new_phone_number())["token"],
        "with a staff token": os.environ["STAFF_TOKEN"],
    }
    failed = 0
    for name, token in runs.items():
        print(f"== {name}", flush=True)
        command = ["schemathesis", "run", f"{server.base_url}/api/schema/"]
        excluded = "positive_data_acceptance"
        if name == "with a staff token":
            excluded += ",negative_data_rejection"  # an empty filter is no filter
        command += ["--checks", "all", "--exclude-checks", excluded]
        # Signing out and deleting would end the token that the rest needs.
        command += ["--exclude-path-regex", "logout|sessions/."]
        command += ["--exclude-operation-id", "delete_account"]
        command += ["--max-examples", "60", "--seed", "1"]
        if token:
            command += ["--header", f"Authorization: Device {token}"]
        env = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.e2e.fuzz_hooks"}
        failed |= subprocess.run(command, env=env).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
