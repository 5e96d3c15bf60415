from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from users.channels import Channel, DeliveryStatus


class DeliverySerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(choices=list(Channel))
    status = serializers.ChoiceField(
        choices=list(DeliveryStatus),
        help_text=_(
            "`sent`: nothing else is known yet. `failed`: it will not arrive; offer "
            "another of `channels`."
        ),
    )
