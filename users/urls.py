from django.urls import path

from users import views

app_name = "users"

urlpatterns = [
    path("auth/request-code/", views.RequestCodeView.as_view(), name="request-code"),
    path("auth/verify-code/", views.VerifyCodeView.as_view(), name="verify-code"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("auth/logout-all/", views.LogoutAllView.as_view(), name="logout-all"),
    path("profile/", views.ProfileView.as_view(), name="profile"),
]
