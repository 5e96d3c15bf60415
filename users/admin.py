"""Django looks for an app's admin classes here."""

from users.staff import person_admin  # noqa: F401  registers itself
