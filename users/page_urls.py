from django.urls import path

from users import device_pages, pages, phone_change_pages

urlpatterns = [
    path("login/", pages.login_page, name="login"),
    path("login/code/", pages.code_page, name="login-code"),
    path("logout/", pages.logout_page, name="logout"),
    path("logout/everywhere/", pages.logout_everywhere_page, name="logout-everywhere"),
    path("profile/", pages.profile_page, name="profile"),
    path("profile/edit/", pages.edit_page, name="profile-edit"),
    path("profile/phone/", phone_change_pages.number_page, name="profile-phone"),
    path(
        "profile/phone/code/", phone_change_pages.codes_page, name="profile-phone-code"
    ),
    path("profile/delete/", pages.delete_page, name="profile-delete"),
    path("profile/devices/", device_pages.devices_page, name="devices"),
    path(
        "profile/devices/<int:device_id>/sign-out/",
        device_pages.sign_out_page,
        name="device-sign-out",
    ),
]
