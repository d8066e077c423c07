"""Pages of no app: home, privacy, accessibility, health, and the developer's mailbox of the demo."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def site(request: HttpRequest) -> dict[str, object]:
    return {}


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")
