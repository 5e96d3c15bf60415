from django.urls import path

from users.devices import jwt_views
from users.devices import views as device_views
from users.login import views as login_views
from users.phone_change import views as phone_change_views
from users.profile.views import ProfileView
from users.staff import views as staff_views

app_name = "users"

urlpatterns = [
    path(
        "auth/request-code/", login_views.RequestCodeView.as_view(), name="request-code"
    ),
    path("auth/verify-code/", login_views.VerifyCodeView.as_view(), name="verify-code"),
    path("auth/logout/", device_views.LogoutView.as_view(), name="logout"),
    path("auth/logout-all/", device_views.LogoutAllView.as_view(), name="logout-all"),
    path("auth/jwt/create/", login_views.CreateJwtView.as_view(), name="create-jwt"),
    path("auth/jwt/refresh/", jwt_views.RefreshJwtView.as_view(), name="refresh-jwt"),
    path("auth/jwt/verify/", jwt_views.VerifyJwtView.as_view(), name="verify-jwt"),
    path("auth/sessions/", device_views.DeviceListView.as_view(), name="devices"),
    path(
        "auth/sessions/<int:device_id>/",
        device_views.DeviceView.as_view(),
        name="device",
    ),
    path("profile/", ProfileView.as_view(), name="profile"),
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
