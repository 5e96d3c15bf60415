"""What tests of JWTs share."""

from datetime import timedelta
from typing import Any

import jwt
from django.utils import timezone
from rest_framework.test import APIClient

from users.devices import jwt_keys
from users.devices.jwt_tokens import access_token, issue_refresh_token
from users.models import Device, User

REFRESH = "/api/auth/jwt/refresh/"
VERIFY = "/api/auth/jwt/verify/"
READ = "/api/profile/referrals/"
KEY = jwt_keys.for_refresh_tokens().secrets[0]

Body = dict[str, Any]


def new_pair(user: User) -> Body:
    device, refresh = issue_refresh_token(user=user, user_agent="test")
    return {"access": access_token(device), "refresh": refresh}


def refresh(token: str) -> Any:
    return APIClient().post(REFRESH, {"refresh": token})


def read(access: str, scheme: str = "Bearer") -> Any:
    return APIClient().get(READ, HTTP_AUTHORIZATION=f"{scheme} {access}")


def statuses(pair: Body) -> tuple[int, int]:
    """Of the access token and, without using it up, of the refresh token."""
    verified = APIClient().post(VERIFY, {"token": pair["refresh"]})
    return read(pair["access"]).status_code, verified.status_code


def claims_of(token: str) -> Body:
    claims: Body = jwt.decode(token, options={"verify_signature": False})
    return claims


def forged(key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    """An access token as ours, with changes; None takes a claim away."""
    device = Device.objects.get()
    claims = {
        "token_type": "access",
        "exp": timezone.now() + timedelta(minutes=5),
        "iat": timezone.now(),
        "jti": "0" * 32,
        "iss": "referral",
        "aud": "referral",
        "sub": str(device.user_id),
        "sid": device.pk,
        "did": device.random_id and device.random_id.hex,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm)


def bearer(pair: Body) -> APIClient:
    return APIClient(headers={"authorization": f"Bearer {pair['access']}"})
