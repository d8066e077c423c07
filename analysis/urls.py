"""Addresses of the researcher's analysis and of the team leader's pages."""

from django.urls import path

from analysis.views import board, publish, team

urlpatterns = [
    path("studies/<slug:slug>/", board.board, name="board"),
    path("studies/<slug:slug>/publish", publish.publish_page, name="publish"),
    path("studies/<slug:slug>/publish/<int:pk>/preview", publish.report_preview, name="report_preview"),
    path("studies/<slug:slug>/publish/<int:pk>/counts", publish.accept_counts, name="accept_counts"),
    path("team/<int:pk>/", team.team, name="team"),
    path("team/<int:pk>/links", team.send_links, name="team_links"),
    path("team/<int:pk>/report", team.report, name="team_report"),
    path("team/<int:pk>/report.pdf", team.report_pdf, name="team_report_pdf"),
]
