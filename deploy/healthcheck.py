"""Exit with status 0 if the web server in this container answers /healthz.

The request names the first of ALLOWED_HOSTS, because other hosts are refused.
"""

import http.client
import os
import sys

port = int(os.environ.get("PORT") or 8000)
host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
if host in ("", "*"):
    host = "localhost"
server = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
try:
    server.request("GET", "/healthz", headers={"Host": host})
    sys.exit(server.getresponse().status != 200)
except OSError as error:
    sys.exit(f"/healthz does not answer: {error}")
