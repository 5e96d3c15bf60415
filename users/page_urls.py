from django.urls import path

from users.data_export import pages as data_export_pages
from users.devices import jwt_views
from users.devices import pages as device_pages
from users.login import pages as login_pages
from users.mail import pages as mail_pages
from users.phone_change import pages as phone_change_pages
from users.profile import pages as profile_pages
from users.terms import pages as terms_pages

urlpatterns = [
    path(".well-known/jwks.json", jwt_views.JwkSetView.as_view(), name="jwks"),
    path("login/", login_pages.login_page, name="login"),
    path("login/code/", login_pages.code_page, name="login-code"),
    path("login/invite/", login_pages.invitation_page, name="login-invite"),
    path("logout/", device_pages.logout_page, name="logout"),
    path(
        "logout/everywhere/",
        device_pages.logout_everywhere_page,
        name="logout-everywhere",
    ),
    path("profile/", profile_pages.profile_page, name="profile"),
    path("profile/qr-code.png", profile_pages.qr_code_page, name="qr-code"),
    path("profile/edit/", profile_pages.edit_page, name="profile-edit"),
    path("profile/phone/", phone_change_pages.number_page, name="profile-phone"),
    path(
        "profile/phone/code/", phone_change_pages.codes_page, name="profile-phone-code"
    ),
    path("profile/email/", mail_pages.send_link_page, name="send-email-link"),
    path("profile/email/confirm/", mail_pages.verify_page, name="confirm-email"),
    path("profile/export/", data_export_pages.export_page, name="profile-export"),
    path("profile/terms/", terms_pages.accept_page, name="accept-terms"),
    path("profile/delete/", profile_pages.delete_page, name="profile-delete"),
    path("profile/devices/", device_pages.devices_page, name="devices"),
    path(
        "profile/devices/<int:device_id>/sign-out/",
        device_pages.sign_out_page,
        name="device-sign-out",
    ),
]
