from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from users.models import User

MIGRATION = import_module("users.migrations.0006_copy_device_permissions")


@pytest.mark.django_db
def test_permissions_on_tokens_become_permissions_on_devices(alice: User) -> None:
    token = ContentType.objects.create(app_label="users", model="token")
    may_end = Permission.objects.create(
        content_type=token, codename="delete_token", name="Can delete token"
    )
    support = Group.objects.create(name="Support")
    support.permissions.add(may_end)
    alice.user_permissions.add(may_end)
    MIGRATION.copy_permissions(apps, None)
    assert alice.has_perm("users.delete_device")
    assert alice.has_perm("users.delete_token")  # the version before asks for it
    codenames = set(support.permissions.values_list("codename", flat=True))
    assert codenames == {"delete_token", "delete_device"}
