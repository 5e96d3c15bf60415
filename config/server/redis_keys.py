"""The names of keys on one Redis."""


def without_tag(key: str, prefix: str, version: int) -> str:
    """As Django names keys, without the hash tag that only a Redis Cluster needs.

    So keys are shorter, and those of versions before the tags stay valid.
    """
    if key.startswith("{"):
        key = key.partition("}")[2]
    return f"{prefix}:{version}:{key}"
