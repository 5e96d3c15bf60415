from django.urls import path

from users.devices import pages as device_pages
from users.login import pages as login_pages
from users.phone_change import pages as phone_change_pages
from users.profile import pages as profile_pages

urlpatterns = [
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
    path("profile/edit/", profile_pages.edit_page, name="profile-edit"),
    path("profile/phone/", phone_change_pages.number_page, name="profile-phone"),
    path(
        "profile/phone/code/", phone_change_pages.codes_page, name="profile-phone-code"
    ),
    path("profile/delete/", profile_pages.delete_page, name="profile-delete"),
    path("profile/devices/", device_pages.devices_page, name="devices"),
    path(
        "profile/devices/<int:device_id>/sign-out/",
        device_pages.sign_out_page,
        name="device-sign-out",
    ),
]
