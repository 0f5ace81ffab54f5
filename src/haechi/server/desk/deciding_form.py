"""What a reviewer fills in to decide."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from haechi.server.cases import pauses, policies
from haechi.server.cases.models import (
    ACTING,
    For,
    Ground,
    Label,
    PolicyKind,
    Restriction,
    Verdict,
)
from haechi.server.cases.ruling import LONGEST_EXPLANATION, LONGEST_FACTS, Ruling, Said
from haechi.server.desk.forms import reason_field
from haechi.server.matching.models import Hosted
from haechi.server.reports.messages import LONGEST_MESSAGE

LABELS = {
    Verdict.REMOVE: _("Remove it"),
    Verdict.RESTRICT: _("Restrict who can see it"),
    Verdict.KEEP: _("Do not remove it"),
    Verdict.NOT_OURS: _("Not our remit"),
    Verdict.REFER: _("Refer it to somebody else"),
    Verdict.NEED_MORE: _("Ask the reporter for more"),
}


class HostedChoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic when it runs
    """Hosted content to tick; every row says why it is offered."""

    widget = forms.CheckboxSelectMultiple

    def __init__(
        self,
        *,
        say: Callable[[Hosted], str],
        queryset: QuerySet[Hosted],
        unseen: Collection[int] = (),
    ) -> None:
        """`unseen` are keys of content that is not ticked beforehand."""
        super().__init__(
            queryset=queryset,
            required=False,
            label=_("To be removed"),
            help_text=(
                _(
                    "Untick what shows something else. What a told fingerprint found is not ticked: "
                    "look at it on the platform first, and tick it if it must go."
                )
                if unseen
                else _("Untick what shows something else.")
            ),
            initial=[hosted.pk for hosted in queryset if hosted.pk not in unseen],
        )
        self.say = say

    def label_from_instance(self, obj: Hosted) -> str:
        """What stands beside the box."""
        return self.say(obj)


class DecisionForm(forms.Form):
    """A verdict, and what belongs to it. What another verdict would need is not looked at."""

    # What is a duty depends on the verdict, and a browser cannot know that.
    use_required_attribute = False

    place = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=3, required=False)
    verdict = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )
    ground = forms.ChoiceField(
        label=_("Ground"),
        required=False,
        error_messages={"required": _("A removal needs a ground.")},
    )
    restriction = forms.ChoiceField(
        label=_("What the platform is asked for"),
        choices=Restriction.choices,
        widget=forms.RadioSelect,
        required=False,
        error_messages={"required": _("Choose one of these.")},
    )
    label = forms.ChoiceField(
        label=_("Which label"),
        help_text=_("The first is what the rules for platforms come to (GB 45438)."),
        widget=forms.RadioSelect,
        required=False,
    )
    waits_for = forms.ChoiceField(
        label=_("To whom"),
        choices=[(each.value, each.label) for each in For if each != For.REPORTER],
        widget=forms.RadioSelect,
        required=False,
        error_messages={"required": _("Choose one of these.")},
    )
    waits_for_name = forms.CharField(
        label=_("Name of the body"),
        help_text=_("Sealed with the report."),
        max_length=200,
        required=False,
        error_messages={"required": _("Say to whom.")},
    )
    missing = forms.CharField(
        label=_("What is missing?"),
        help_text=_("The reporter reads this with the return code. Ask for no more than you need."),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        error_messages={"required": _("Write what is missing.")},
    )
    follow_up = forms.TypedChoiceField(
        label=_("Comes back at the latest in"),
        coerce=int,
        initial=pauses.FOLLOW_UP_DAYS[2],
        required=False,
    )
    reason = reason_field(
        _("What did you see? This stays here; platforms and hosts get fixed words.")
    )
    facts = forms.CharField(
        label=_("What was found"),
        help_text=_("Published. Name nobody, no address, no account. English is read everywhere."),
        max_length=LONGEST_FACTS,
        widget=forms.Textarea(attrs={"rows": 3, "data-counted": _("{number} characters left")}),
        required=False,
    )
    explanation = forms.CharField(
        label=_("Why the ground applies"),
        help_text=_("Published too. Left empty, the fixed words of the ground are used."),
        max_length=LONGEST_EXPLANATION,
        widget=forms.Textarea(attrs={"rows": 3, "data-counted": _("{number} characters left")}),
        required=False,
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        hosted: QuerySet[Hosted],
        now: datetime,
        verdicts: Sequence[Verdict] = tuple(Verdict),
        place: int = 1,
        say: Callable[[Hosted], str] = str,
        unseen: Collection[int] = (),
        labels: Sequence[Label] = (),
        citable: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(data, initial={"place": place})
        labels = labels or [label for label in Label if label != Label.IS]
        chosen = self.data.get("verdict")
        self._choices("verdict", [(each.value, LABELS[each]) for each in verdicts])
        self._choices("ground", _grounds(now))
        self._choices("label", [(label.value, label.label) for label in labels])
        self.fields["label"].initial = labels[0].value
        self._choices("follow_up", [(days, _days(days)) for days in pauses.FOLLOW_UP_DAYS])
        self.fields["ground"].required = chosen in (*ACTING, None)
        self.fields["restriction"].required = chosen == Verdict.RESTRICT
        self.fields["waits_for"].required = chosen == Verdict.REFER
        self.fields["waits_for_name"].required = chosen == Verdict.REFER
        self.fields["missing"].required = chosen == Verdict.NEED_MORE
        if hosted:
            self.fields["remove"] = HostedChoices(queryset=hosted, say=say, unseen=unseen)
        if citable:
            self.fields["cites"] = forms.MultipleChoiceField(
                label=_("Findings this rests on"),
                help_text=_(
                    "Only those you rely on yourself. The statement of reasons then says that an automated "
                    "examination was relied on."
                ),
                choices=citable,
                widget=forms.CheckboxSelectMultiple,
                required=False,
            )

    def _choices(self, name: str, choices: Sequence[tuple[object, object]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def clean_place(self) -> int:
        """The opinion the page was for; a form without it is the first."""
        return self.cleaned_data.get("place") or 1

    @property
    def ruling(self) -> Ruling:
        """What was concluded; what does not belong to the verdict is left out."""
        typed = self.cleaned_data
        verdict = Verdict(typed["verdict"])
        acts = verdict in ACTING
        restriction = typed["restriction"] if verdict == Verdict.RESTRICT else ""
        return Ruling(
            verdict,
            typed["ground"] if acts else Ground.NONE,
            typed["reason"],
            restriction,
            Said(typed["facts"], typed["explanation"]) if acts else Said(),
            typed["label"] if restriction == Restriction.LABELLED else "",
            tuple(typed.get("cites", ())) if acts else (),
        )

    @property
    def follow_up_in(self) -> timedelta:
        """When a case that waits comes back at the latest."""
        return timedelta(days=self.cleaned_data["follow_up"] or pauses.FOLLOW_UP_DAYS[2])


def _grounds(now: datetime) -> list[tuple[object, object]]:
    """Law first, then own rules; what allows a removal allows what is less only where it says so."""
    offered = policies.for_verdict(Verdict.REMOVE, now)
    groups = [
        (kind.label, [(each.key, each.title) for each in offered if each.kind == kind])
        for kind in PolicyKind
    ]
    return [("", "\u2014"), *groups]


def _days(number: int) -> str:
    return ngettext("{number} day", "{number} days", number).format(number=number)
