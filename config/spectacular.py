"""Settings of drf-spectacular, which writes the schema of the API."""

from django.utils.translation import gettext_lazy as _

SETTINGS = {
    "TITLE": "Referral API",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,  # as in urls.py: the order in which people need them
    "SWAGGER_UI_SETTINGS": {
        "persistAuthorization": False,
        "defaultModelsExpandDepth": -1,
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # A reference beside "null" needs 3.1: in 3.0 no validator lets null through.
    "OAS_VERSION": "3.1.0",
    "CONTACT": {
        "name": "Referral",
        "url": "https://git.example.com/referral",
    },
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "ENUM_NAME_OVERRIDES": {
        "ErrorTypeEnum": ["validation_error", "client_error", "server_error"],
        "ChannelEnum": ["sms", "call", "telegram", "voice"],
        "DeliveryStatusEnum": ["sent", "delivered", "failed"],
        "StateEnum": ["ok", "unavailable"],
        "AliveEnum": ["ok"],
    },
    "TAGS": [
        {"name": name, "x-displayName": title, "description": text}
        for name, title, text in [
            ("Sign in", _("Signing in"), _("Codes, tokens, JWTs, signing out.")),
            ("Devices", _("Devices"), _("Where a person is signed in.")),
            ("Profile", _("Profile"), _("The account whose token is sent.")),
            ("Invites", _("Invites"), _("Invite codes, and who activated them.")),
            ("Staff", _("Staff"), _("For support staff, with their own token.")),
            ("Service", _("Service"), _("Health and metrics, for operators.")),
        ]
    ],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.schema.finish",
        "config.api.code_samples.add_code_samples",
    ],
}
