from ua_parser import parse_os, parse_user_agent


def device_name(user_agent: str) -> str:
    """As `Chrome Mobile, Android`; the text itself where nobody knows it."""
    try:
        found = parse_user_agent(user_agent), parse_os(user_agent)
    except ValueError:  # what the parser raises where its own tables fall short
        return user_agent
    known = dict.fromkeys(part.family for part in found if part)
    return ", ".join(known) or user_agent
