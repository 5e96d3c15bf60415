from django.urls import path

from referrals.views import ReferralListView

app_name = "referrals"

urlpatterns = [
    path("profile/referrals/", ReferralListView.as_view(), name="list"),
]
