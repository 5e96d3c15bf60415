from django.urls import path

from referrals.views import InviteCodeView, ReferralListView, ReferralStatsView

app_name = "referrals"

urlpatterns = [
    path("profile/referrals/", ReferralListView.as_view(), name="list"),
    path("profile/stats/", ReferralStatsView.as_view(), name="stats"),
    path("invite-codes/<str:code>/", InviteCodeView.as_view(), name="invite-code"),
]
