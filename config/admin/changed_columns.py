"""Forms of the admin site that write only the columns that they changed.

A save of all columns would undo what was written since the row was read, by somebody
else or by a service that the form itself calls. It would even insert a row again that
was deleted meanwhile.

A field counts as changed if it differs from what the page showed, which a hidden field
tells, and not from the row as it is when the page is sent: that page may have been open
for an hour. Groups and rights are many-to-many and are still written whole.
"""

from typing import Any

from django.http import HttpRequest


class SavesChangedColumns:
    """For an admin class, before Django's in its list of bases."""

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin
        if field and not db_field.many_to_many:
            # A page of the version before this one has no hidden fields.
            is_sent = f"initial-{db_field.name}" in request.POST
            field.show_hidden_initial = is_sent or request.method != "POST"
        return field

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if not change:
            super().save_model(request, obj, form, change)  # type: ignore[misc]  # a mixin
            return
        # Many-to-many fields, which are no columns, are saved after this.
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=columns.intersection(form.changed_data))


class SavesPassword:
    """For a form that sets a password, before Django's in its list of bases."""

    def save(self, commit: bool = True) -> Any:
        user = super().save(commit=False)  # type: ignore[misc]  # a mixin
        if commit:
            user.save(update_fields=["password"])
        return user
