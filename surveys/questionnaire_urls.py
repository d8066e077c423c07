"""The addresses of questionnaires: their drafts, versions and files, under /questionnaires/. Researchers only."""

from django.urls import path

from surveys.views import editing, versioning

urlpatterns = [
    path("", editing.questionnaires, name="questionnaires"),
    path("new", editing.questionnaire_new, name="questionnaire_new"),
    path("import", versioning.questionnaire_import, name="questionnaire_import"),
    path("<slug:code>/", editing.questionnaire_edit, name="questionnaire_edit"),
    path("<slug:code>/change", editing.questionnaire_change, name="questionnaire_change"),
    path("<slug:code>/preview", versioning.questionnaire_preview, name="questionnaire_preview"),
    path(
        "<slug:code>/preview/<int:number>/<slug:language>/<int:screen>",
        versioning.preview_screen,
        name="preview_screen",
    ),
    path("<slug:code>/versions/", versioning.questionnaire_versions, name="questionnaire_versions"),
    path("<slug:code>/versions/<int:number>", versioning.questionnaire_version, name="questionnaire_version"),
    path("<slug:code>/versions/<int:number>/<slug:form>", versioning.version_file, name="version_file"),
]
