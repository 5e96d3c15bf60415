"""Pages of the admin site: why an invitation did not count, and how to correct it."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from referrals.exceptions import CorrectionRefused
from referrals.models import Correction
from referrals.support.corrections import (
    correct_inviter,
    may_act_on,
    revert_correction,
    standing,
)
from referrals.support.explanations import explain
from referrals.support.forms import (
    CorrectionForm,
    ExplanationForm,
    ReasonForm,
    ReplacementForm,
)
from referrals.support.replacements import replace_invite_code

may_look = permission_required("referrals.view_referral", raise_exception=True)
may_correct = permission_required("referrals.add_correction", raise_exception=True)
may_replace = permission_required(
    "referrals.add_replacedinvitecode", raise_exception=True
)
form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
@may_look
@sensitive_post_parameters("invitee", "inviter")
def why(request: HttpRequest) -> HttpResponse:
    """Changes nothing. A POST, so that no phone number is in a URL."""
    initial = {"invitee": request.GET.get("invitee", "")}
    form = ExplanationForm(request.POST or None, initial=initial)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        invitee, inviter = form.cleaned_data["invitee"], form.cleaned_data["inviter"]
        context |= {
            "reasons": explain(invitee, inviter),
            "invitee_url": invitee and person_url(invitee),
            "inviter_url": inviter and person_url(inviter),
            "correct_url": invitee
            and inviter
            and reverse("admin:referrals_correct", args=[invitee.pk])
            + f"?inviter={inviter.invite_code}",
        }
    title = _("Why was I not credited?")
    return _page(request, "admin/referrals/why.html", title, context)


@form_page
@may_correct
def correct(request: HttpRequest, invitee_id: int) -> HttpResponse:
    invitee, now = _person(invitee_id), standing(invitee_id)
    if not may_act_on(invitee_id, now.inviter_id, by=_staff(request)):
        raise PermissionDenied
    initial = {"inviter": request.GET.get("inviter", ""), "seen": now.seen}
    form = CorrectionForm(request.POST or None, initial=initial)
    if form.is_valid():
        facts = {
            name: form.cleaned_data[name] for name in ("inviter", "seen", "reason")
        }
        try:
            correct_inviter(invitee=invitee, by=_staff(request), **facts)
        except CorrectionRefused as refused:
            form.add_error("inviter", str(refused.text))
        else:
            messages.success(request, _("The inviter has been corrected."))
            return redirect(person_url(invitee))
    context = {
        "form": form,
        "person": invitee,
        "person_url": person_url(invitee),
        "corrections": invitee.corrections.order_by("-pk")[:20],  # type: ignore[attr-defined]  # Correction
    }
    title = _("Correct the inviter")
    return _page(request, "admin/referrals/correct.html", title, context)


@form_page
@may_correct
def revert(request: HttpRequest, pk: int) -> HttpResponse:
    correction = get_object_or_404(Correction.objects.select_related("invitee"), pk=pk)
    people = (correction.invitee_id, correction.before_id, correction.after_id)
    if not may_act_on(*people, by=_staff(request)):
        raise PermissionDenied
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            revert_correction(correction, reason=reason, by=_staff(request))
        except CorrectionRefused as refused:
            form.add_error(None, str(refused.text))
        else:
            messages.success(request, _("The correction has been reverted."))
            return redirect(person_url(correction.invitee))
    context = {
        "form": form,
        "person": correction.invitee,
        "person_url": person_url(correction.invitee),
        "correction": correction,
    }
    title = _("Revert the correction")
    return _page(request, "admin/referrals/revert.html", title, context)


@form_page
@may_replace
def replace_code(request: HttpRequest, owner_id: int) -> HttpResponse:
    owner: Any = _person(owner_id)
    if not may_act_on(owner_id, by=_staff(request)):
        raise PermissionDenied
    form = ReplacementForm(request.POST or None, initial={"seen": owner.invite_code})
    if form.is_valid():
        try:
            replace_invite_code(
                owner=owner,
                seen=form.cleaned_data["seen"],
                is_honoured=form.cleaned_data["old_code"] == "honoured",
                reason=form.cleaned_data["reason"],
                by=_staff(request),
            )
        except CorrectionRefused as refused:
            form.add_error(None, str(refused.text))
        else:
            messages.success(request, _("The invite code has been replaced."))
            return redirect(person_url(owner))
    context = {"form": form, "person": owner, "person_url": person_url(owner)}
    title = _("Replace the invite code")
    return _page(request, "admin/referrals/replace_code.html", title, context)


def person_url(person: AbstractBaseUser) -> str:
    meta = person._meta
    name = f"admin:{meta.app_label}_{meta.model_name}_change"
    return reverse(name, args=[person.pk])


def _person(pk: int) -> AbstractBaseUser:
    people = get_user_model()._default_manager
    return get_object_or_404(people.select_related("activation__inviter"), pk=pk)


def _staff(request: HttpRequest) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser)  # noqa: S101  the admin site requires it
    return request.user


def _page(
    request: HttpRequest, template: str, title: str, context: dict[str, Any]
) -> HttpResponse:
    site = admin.site.each_context(request)
    return TemplateResponse(request, template, {**site, "title": title, **context})
