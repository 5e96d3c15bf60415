from config.refusals import LimitReached


def is_due(solution: str) -> bool:
    return bool(solution) and False


def required() -> LimitReached:
    return LimitReached(limit="challenge", wait=60)
