"""The addresses of questionnaires: their drafts, versions and files, under /questionnaires/. Researchers only."""

from django.urls import path

from surveys.views.researchers import editing, offering, versioning

urlpatterns = [
    path("", editing.questionnaires, name="questionnaires"),
    path("new", editing.questionnaire_new, name="questionnaire_new"),
    path("import", versioning.questionnaire_import, name="questionnaire_import"),
    path("templates", offering.questionnaire_templates, name="questionnaire_templates"),
    path("<int:pk>/offer", offering.questionnaire_offer, name="questionnaire_offer"),
    path("<int:pk>/", editing.questionnaire_edit, name="questionnaire_edit"),
    path("<int:pk>/change", editing.questionnaire_change, name="questionnaire_change"),
    path("<int:pk>/preview", versioning.questionnaire_preview, name="questionnaire_preview"),
    path(
        "<int:pk>/preview/<int:number>/<slug:language>/<int:screen>",
        versioning.preview_screen,
        name="preview_screen",
    ),
    path("<int:pk>/versions/", versioning.questionnaire_versions, name="questionnaire_versions"),
    path("<int:pk>/versions/<int:number>", versioning.questionnaire_version, name="questionnaire_version"),
    path("<int:pk>/versions/<int:number>/<slug:form>", versioning.version_file, name="version_file"),
]
