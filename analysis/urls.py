"""Addresses of the researcher's analysis and of the team leader's pages."""

from django.urls import path

from analysis.views import accounts, analysis, board, exports, plans, publish, results, team, write_up

urlpatterns = [
    path("studies/<slug:slug>/", board.board, name="board"),
    path("studies/<slug:slug>/publish", publish.publish_page, name="publish"),
    path("studies/<slug:slug>/publish/<int:pk>/preview", publish.report_preview, name="report_preview"),
    path("studies/<slug:slug>/publish/<int:pk>/counts", publish.accept_counts, name="accept_counts"),
    path("studies/<slug:slug>/accounts", accounts.accounts, name="accounts"),
    path("studies/<slug:slug>/accounts/flow.svg", accounts.accounts_flow, name="accounts_flow"),
    path("studies/<slug:slug>/accounts/response.csv", accounts.export_accounts, {"form": "csv"}, name="accounts_csv"),
    path(
        "studies/<slug:slug>/accounts/response.xlsx", accounts.export_accounts, {"form": "xlsx"}, name="accounts_xlsx"
    ),
    path("studies/<slug:slug>/accounts/<int:pk>", accounts.account_counts, name="account_counts"),
    path("studies/<slug:slug>/plan", analysis.plan, name="plan"),
    path("studies/<slug:slug>/plan/change", plans.plan_amend, name="plan_amend"),
    path("studies/<slug:slug>/plan/<int:number>", plans.plan_document, name="plan_document"),
    path("studies/<slug:slug>/plan/<int:number>.json", plans.plan_json, name="plan_json"),
    path("studies/<slug:slug>/open", analysis.survey_open, name="survey_open"),
    path("studies/<slug:slug>/runs", analysis.runs, name="runs"),
    path("studies/<slug:slug>/runs/new", analysis.run_new, name="run_new"),
    path("studies/<slug:slug>/runs/<int:pk>", analysis.run, name="run"),
    path("studies/<slug:slug>/runs/<int:pk>/cancel", analysis.run_cancel, name="run_cancel"),
    path("studies/<slug:slug>/decisions", analysis.decisions, name="decisions"),
    path("studies/<slug:slug>/decisions/<int:pk>/undo", analysis.decision_undo, name="decision_undo"),
    path("studies/<slug:slug>/results", results.results, name="results"),
    path("studies/<slug:slug>/models/<int:pk>", results.factor_model, name="factor_model"),
    path("studies/<slug:slug>/write-up", write_up.write_up_page, name="write_up"),
    path("studies/<slug:slug>/export/results.csv", results.export_results, name="export_results"),
    path("studies/<slug:slug>/export/", exports.exports, name="exports"),
    path("studies/<slug:slug>/export/<int:pk>/<slug:form>", exports.release_file, name="release_file"),
    path("studies/<slug:slug>/export/codebook", exports.codebook, name="codebook"),
    path("studies/<slug:slug>/export/codebook.xml", exports.export_ddi, name="export_ddi"),
    path("studies/<slug:slug>/export/codebook.csv", results.export_codebook, name="export_codebook"),
    path("studies/<slug:slug>/import", results.responses_import, name="responses_import"),
    path("team/<int:pk>/", team.team, name="team"),
    path("team/<int:pk>/links", team.send_links, name="team_links"),
    path("team/<int:pk>/report", team.report, name="team_report"),
    path("team/<int:pk>/report.pdf", team.report_pdf, name="team_report_pdf"),
]
