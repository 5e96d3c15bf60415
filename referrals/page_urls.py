from django.urls import path

from referrals import pages

urlpatterns = [
    path("i/", pages.find_invite_page, name="find-invite"),
    path("i/<str:code>/", pages.invite_page, name="invite"),
    path("profile/activate/", pages.activate_page, name="activate"),
]
