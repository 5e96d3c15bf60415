"""The default of each limit, `count/seconds`, by its variable of the environment.

The code knows `LIMIT_SENDS` as `sends`: without `LIMIT_`, in lower case.
"""

# A month of 31 days begins at most twelve times in a year.
_HOUR, _DAY, _MONTH = 3600, 24 * 3600, 31 * 24 * 3600
# Whole mobile carriers sit behind one address: sends are wide there, wrong guesses not.
DEFAULTS = {
    # To one number: strangers and known devices together send at most 20 a day.
    "LIMIT_SENDS_PER_PHONE_HOUR": f"8/{_HOUR}",
    "LIMIT_SENDS_PER_PHONE_DAY": f"15/{_DAY}",
    "LIMIT_SENDS_PER_DEVICE": f"4/{_DAY}",
    "LIMIT_SENDS_PER_KNOWN_DEVICES": f"5/{_DAY}",
    # Less than the number's own, so that no single client can use that up.
    "LIMIT_SENDS_PER_PHONE_AND_ADDRESS": f"5/{_HOUR}",
    "LIMIT_SENDS_PER_ADDRESS": f"300/{_HOUR}",
    "LIMIT_PHONES_PER_ADDRESS": f"200/{_HOUR}",
    "LIMIT_SENDS_PER_NETWORK": f"600/{_HOUR}",
    # To each country but that of PHONE_DEFAULT_REGION.
    "LIMIT_SENDS_PER_COUNTRY": f"200/{_HOUR}",
    # Less than the country's own, so that no single network can use that up.
    "LIMIT_SENDS_PER_NETWORK_AND_COUNTRY": f"50/{_HOUR}",
    # LIMIT_SENDS minus LIMIT_SENDS_BY_STRANGERS is kept for known devices.
    "LIMIT_SENDS_BY_STRANGERS": f"1600/{_HOUR}",
    "LIMIT_SENDS": f"2000/{_HOUR}",
    # Wrong guesses at one number.
    "LIMIT_GUESSES_PER_PHONE_AND_ADDRESS": f"20/{_MONTH}",
    "LIMIT_GUESSES_PER_PHONE_AND_NETWORK": f"40/{_MONTH}",
    # Refuses only if LIMIT_GUESSES_PER_PHONE_MONTH is reached, too. Five times what one
    # network may guess, so that no single customer uses up what others need.
    "LIMIT_GUESSES_PER_PHONE_AND_ISP": f"200/{_MONTH}",
    "LIMIT_GUESSES_PER_PHONE_DAY": f"100/{_DAY}",
    "LIMIT_GUESSES_PER_PHONE_MONTH": f"1000/{_MONTH}",
    "LIMIT_GUESSES_PER_DEVICE": f"1/{_MONTH}",
    "LIMIT_GUESSES_PER_KNOWN_DEVICES": f"2/{_MONTH}",
    # Wrong guesses at all numbers.
    "LIMIT_GUESSES_PER_ADDRESS": f"50/{_HOUR}",
    "LIMIT_GUESSES_PER_ADDRESS_DAY": f"200/{_DAY}",
    "LIMIT_GUESSES_PER_NETWORK_DAY": f"400/{_DAY}",
    # Refuses only if LIMIT_GUESSES is reached, too.
    "LIMIT_GUESSES_PER_ISP_DAY": f"2000/{_DAY}",
    "LIMIT_GUESSES": f"50000/{_DAY}",
    # To the admin site; codes do not open it.
    "LIMIT_PASSWORD_GUESSES_PER_PHONE": f"100/{_DAY}",
    "LIMIT_PASSWORD_GUESSES_PER_PHONE_AND_NETWORK": f"20/{_DAY}",
    "LIMIT_PASSWORD_GUESSES_PER_ADDRESS": f"20/{_HOUR}",
    # A code of six digits, of which three are valid at a time.
    "LIMIT_SECOND_FACTOR_GUESSES_PER_PHONE": f"20/{_DAY}",
    "LIMIT_ACTIVATION_FAILURES_PER_USER": f"20/{_HOUR}",
    "LIMIT_LOOKUPS_PER_ADDRESS": f"600/{_HOUR}",
    "LIMIT_LOOKUPS_PER_USER": f"120/{_HOUR}",
    # An app asks some fifteen times a code.
    "LIMIT_DELIVERY_READS_PER_ADDRESS": f"3000/{_HOUR}",
    "LIMIT_PROFILE_EDITS_PER_USER": f"60/{_HOUR}",
    # Links are sent to addresses that nobody has confirmed.
    "LIMIT_EMAIL_LINKS_PER_USER": f"5/{_DAY}",
    "LIMIT_EMAIL_LINKS_PER_EMAIL_ADDRESS": f"5/{_DAY}",
    # Other e-mails, and downloads.
    "LIMIT_INVITE_NOTICES_PER_USER": f"3/{_DAY}",
    "LIMIT_DATA_EXPORTS_PER_USER": f"5/{_DAY}",
}
