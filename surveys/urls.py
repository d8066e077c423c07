"""The addresses of collecting: teachers under /a/, facilitators under /f/, researchers under their study."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
