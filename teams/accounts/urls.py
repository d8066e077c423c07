"""allauth's addresses, less those that Teamspiegel does not have: the first match counts."""

from django.urls import include, path, re_path

from teams.accounts.sign_in import closed

urlpatterns = [
    path("signup/", closed, name="account_signup"),
    path("email/", closed, name="account_email"),
    path("confirm-email/", closed, name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", closed, name="account_confirm_email"),
    path("", include("allauth.urls")),
]
