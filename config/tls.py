from functools import cache
from ssl import SSLContext

import httpx2


@cache
def tls() -> SSLContext:
    """One for the process: reading the authorities takes longer than a request."""
    return httpx2.create_ssl_context()
