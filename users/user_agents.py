from ua_parser import parse_os, parse_user_agent


def device_name(user_agent: str) -> str:
    """For example `Chrome Mobile, Android`. An unknown text is returned as it is."""
    try:
        found = parse_user_agent(user_agent), parse_os(user_agent)
    except ValueError:  # raised by the parser for a version it does not know
        return user_agent
    known = dict.fromkeys(part.family for part in found if part)
    return ", ".join(known) or user_agent
