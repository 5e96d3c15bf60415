from django.urls import path

from users import (
    device_views,
    jwt_views,
    phone_change_views,
    staff_views,
    views,
)

app_name = "users"

urlpatterns = [
    path("auth/request-code/", views.RequestCodeView.as_view(), name="request-code"),
    path("auth/verify-code/", views.VerifyCodeView.as_view(), name="verify-code"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("auth/logout-all/", views.LogoutAllView.as_view(), name="logout-all"),
    path("auth/jwt/create/", jwt_views.CreateJwtView.as_view(), name="create-jwt"),
    path("auth/jwt/refresh/", jwt_views.RefreshJwtView.as_view(), name="refresh-jwt"),
    path("auth/jwt/verify/", jwt_views.VerifyJwtView.as_view(), name="verify-jwt"),
    path("auth/sessions/", device_views.DeviceListView.as_view(), name="devices"),
    path(
        "auth/sessions/<int:device_id>/",
        device_views.DeviceView.as_view(),
        name="device",
    ),
    path("profile/", views.ProfileView.as_view(), name="profile"),
    path(
        "profile/phone/request-code/",
        phone_change_views.RequestPhoneChangeView.as_view(),
        name="request-phone-change",
    ),
    path(
        "profile/phone/",
        phone_change_views.ChangePhoneView.as_view(),
        name="change-phone",
    ),
    path("users/", staff_views.PersonListView.as_view(), name="people"),
    path("users/<int:user_id>/", staff_views.PersonView.as_view(), name="person"),
    path("stats/", staff_views.ServiceStatsView.as_view(), name="service-stats"),
]
