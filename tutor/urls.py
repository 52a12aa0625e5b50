"""HTTP routes."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from streaming.views import Login
from tutor import health

urlpatterns = [
    path("", include("streaming.urls")),
    path("login/", Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
    path("admin/", admin.site.urls),
    path("api/", include("accounts.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
