"""For other apps: sent after the commit, so what they hear of has happened."""

from django.dispatch import Signal

# Keyword argument: referral.
invite_code_activated = Signal()

# Keyword argument: correction.
inviter_corrected = Signal()
