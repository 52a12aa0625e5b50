from django.urls import path

from streaming import views

urlpatterns = [path("", views.index, name="index")]
