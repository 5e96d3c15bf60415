"""Django looks for an app's admin classes here."""

from users.staff import group_admin, person_admin  # noqa: F401  register themselves
