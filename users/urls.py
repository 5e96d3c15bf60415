from django.urls import path

from users.channels import views as channel_views
from users.data_export.views import DataExportView
from users.devices import jwt_views
from users.devices import views as device_views
from users.login import views as login_views
from users.mail import views as mail_views
from users.phone_change import views as phone_change_views
from users.profile.views import ProfileView
from users.staff import views as staff_views
from users.terms.views import TermsView

app_name = "users"

urlpatterns = [
    path(
        "auth/request-code/", login_views.RequestCodeView.as_view(), name="request-code"
    ),
    path(
        "auth/deliveries/<str:delivery_id>/",
        channel_views.DeliveryView.as_view(),
        name="delivery",
    ),
    path(
        "providers/telegram/",
        channel_views.TelegramCallbackView.as_view(),
        name="telegram-callback",
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
    path("profile/email/", mail_views.EmailLinkView.as_view(), name="email-link"),
    path(
        "profile/email/verify/",
        mail_views.VerifyEmailView.as_view(),
        name="verify-email",
    ),
    path("profile/export/", DataExportView.as_view(), name="export-data"),
    path("profile/terms/", TermsView.as_view(), name="terms"),
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
    path("referrals/", staff_views.LedgerView.as_view(), name="ledger"),
    path("stats/", staff_views.ServiceStatsView.as_view(), name="service-stats"),
]
