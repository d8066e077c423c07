"""Every address of the application. Who may open what: tests/access/."""

from django.urls import path

from config import pages

urlpatterns = [
    path("", pages.home, name="home"),
]
