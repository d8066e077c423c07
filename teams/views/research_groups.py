"""Administrators: research groups and who belongs to them."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from teams import access
from teams.forms.filled import hold
from teams.forms.studies import GroupForm, MemberForm
from teams.models import Membership, ResearchGroup, Role
from teams.models.languages import current_language
from teams.studies import joining
from teams.studies import research_groups as steps
from teams.text.directions import isolated
from teams.views.studies import take_back, tell_asked


@require_http_methods(["GET", "HEAD", "POST"])
def groups(request: HttpRequest) -> HttpResponse:
    """All groups, and a form to make one."""
    access.administrator(request.user)
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            group = steps.name_group(form.cleaned_data["name"])
        except steps.NameTaken:
            form.add_error("name", _("There is already a research group with this name: choose another name."))
        else:
            messages.success(request, _("The research group has been created. Now add its researchers."))
            return redirect("group", group.pk)
    return render(request, "teams/groups.html", {"groups": steps.all_groups(), "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def group(request: HttpRequest, pk: int) -> HttpResponse:
    """A group's members and studies, and a form to add somebody."""
    by = access.administrator(request.user)
    research_group = get_object_or_404(ResearchGroup, pk=pk)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = joining.ask_for_group(research_group, **form.cleaned_data, by=by, language=current_language())
        except joining.LeadsTeam as reason:
            form.add_error("email", str(reason))
        else:
            tell_asked(request, asked, form.cleaned_data["name"], _("This person is already a member."))
            return redirect("group", pk)
    return _page(request, research_group, form, GroupForm(group=research_group))


@require_POST
def group_rename(request: HttpRequest, pk: int) -> HttpResponse:
    access.administrator(request.user)
    research_group = get_object_or_404(ResearchGroup, pk=pk)
    hold(request, research_group)
    form = GroupForm(request.POST, group=research_group)
    if form.is_valid():
        try:
            steps.name_group(form.cleaned_data["name"], research_group)
        except steps.NameTaken:
            form.add_error("name", _("There is already a research group with this name: choose another name."))
            research_group.refresh_from_db()
        else:
            messages.success(request, _("The name is saved."))
            return redirect("group", pk)
    return _page(request, research_group, MemberForm(), form)


@require_POST
def asked_remove(request: HttpRequest, pk: int, invitation: int) -> HttpResponse:
    """Take back that somebody was asked to be a member."""
    access.administrator(request.user)
    group = get_object_or_404(ResearchGroup, pk=pk)
    take_back(request, group.researcher_invitations.filter(study=None, pk=invitation).first())
    return redirect("group", pk)


@require_POST
def member_everywhere(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    """Let a member work in all studies, those of later too."""
    by = access.administrator(request.user)
    membership = _member(pk, member)
    steps.work_everywhere(membership.group, membership.user, by)
    messages.success(
        request, _("%(name)s now works in all studies of the group.") % {"name": isolated(membership.user)}
    )
    return redirect("group", pk)


@require_POST
def member_remove(request: HttpRequest, pk: int, member: int) -> HttpResponse:
    by = access.administrator(request.user)
    membership = _member(pk, member)
    try:
        steps.remove_member(membership, by)
    except steps.LastResearcher as error:
        text = _("Nothing was changed: %(name)s is the only researcher of %(studies)s. Let somebody else in first.")
        messages.error(request, text % {"name": isolated(membership.user), "studies": str(error)})
    else:
        messages.success(
            request, _("%(name)s is no longer a member of the group.") % {"name": isolated(membership.user)}
        )
    return redirect("group", pk)


def _member(pk: int, member: int) -> Membership:
    return get_object_or_404(Membership.objects.select_related("group", "user"), group=pk, pk=member)


def _page(request: HttpRequest, research_group: ResearchGroup, form: MemberForm, rename: GroupForm) -> HttpResponse:
    in_group = Q(user__roles__kind=Role.Kind.RESEARCHER, user__roles__study__group=research_group)
    members = research_group.memberships.select_related("user").annotate(
        n_studies=Count("user__roles", filter=in_group)
    )
    context = {
        "group": research_group,
        "asked": research_group.researcher_invitations.filter(study=None),
        "days": joining.DAYS,
        "members": members.order_by("user__name", "pk"),
        "studies": research_group.studies.all(),
        "form": form,
        "rename": rename,
    }
    return render(request, "teams/group.html", context)
