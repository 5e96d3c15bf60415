"""For other apps: sent after the commit, so what they hear of has happened."""

from django.dispatch import Signal

# Keyword arguments: user, is_new_user.
signed_in = Signal()
