from django.urls import path

from streaming import library, views

urlpatterns = [
    path("", views.index, name="index"),
    path("explanations/<uuid:session_id>/", views.explanation, name="explanation"),
    path("answers/<uuid:answer_id>/", views.answer, name="answer"),
    path("sw.js", views.worker, name="worker"),
    path("api/explanations/", library.ExplanationsView.as_view(), name="explanations"),
    path("api/explanations/<str:session_id>/", library.ExplanationView.as_view()),
    path("api/explanations/<str:session_id>/remarks/", library.RemarksView.as_view()),
]
