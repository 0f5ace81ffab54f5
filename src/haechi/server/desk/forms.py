"""What people at the desk fill in."""

from collections.abc import Callable, Collection, Mapping

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from haechi.errors import ReasonRequired
from haechi.server.appeals.models import Outcome
from haechi.server.cases.models import Ground, Purpose, Verdict
from haechi.server.matching.models import Hosted
from haechi.server.reports.messages import LONGEST_MESSAGE
from haechi.server.words import words_for

LONGEST_REASON = 2_000


def _reason(help_text: object) -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        help_text=help_text,  # type: ignore[arg-type]  # a lazy text is one
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": words_for(ReasonRequired.code)},  # type: ignore[dict-item]
    )


class LoginForm(forms.Form):
    """Everything at once, so that nothing is said about which part was wrong."""

    use_required_attribute = False

    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    token = forms.CharField(
        label=_("Token"),
        help_text=_("The six digits your second factor shows now."),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class OpenForm(forms.Form):
    """Why somebody opens a case that they have not taken."""

    use_required_attribute = False

    purpose = forms.ChoiceField(
        label=_("I open it"),
        choices=[(each.value, each.label) for each in Purpose],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )


class IdentityForm(OpenForm):
    """Why somebody needs the reporter's name or contact."""

    purpose = forms.ChoiceField(
        label=_("I need it"),
        choices=[
            (each.value, each.label) for each in (Purpose.REPORTER, Purpose.LAW, Purpose.APPEAL)
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )
    note = _reason(_("A colleague reads this and decides. It is sealed with the report."))


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
    """Remove or not, and why. A ground is asked for only with a removal."""

    # A ground is no duty where nothing is removed, and a browser cannot know that.
    use_required_attribute = False

    verdict = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (Verdict.REMOVE.value, _("Remove it")),
            (Verdict.KEEP.value, _("Do not remove it")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two.")},
    )
    ground = forms.ChoiceField(
        label=_("Ground"),
        help_text=_("Only for a removal."),
        choices=[(ground.value, ground.label) for ground in Ground if ground != Ground.NONE],
        widget=forms.RadioSelect,
        error_messages={"required": _("A removal needs a ground.")},
    )
    reason = _reason(_("What did you see? This stays here; platforms and hosts get fixed words."))

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        hosted: QuerySet[Hosted],
        say: Callable[[Hosted], str] = str,
        unseen: Collection[int] = (),
    ) -> None:
        super().__init__(data)
        self.fields["ground"].required = self.data.get("verdict") != Verdict.KEEP
        if hosted:
            self.fields["remove"] = HostedChoices(queryset=hosted, say=say, unseen=unseen)
            self.order_fields(["verdict", "ground", "remove", "reason"])

    def clean_ground(self) -> Ground:
        """Without a removal there is no ground, whatever was ticked."""
        if self.cleaned_data.get("verdict") == Verdict.KEEP:
            return Ground.NONE
        return Ground(self.cleaned_data["ground"])


class AppealForm(forms.Form):
    """The answer to an objection."""

    use_required_attribute = False

    outcome = forms.ChoiceField(
        label=_("Answer"),
        choices=[
            (Outcome.UPHELD.value, _("The decision stands")),
            (Outcome.GRANTED.value, _("Reverse the decision")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two.")},
    )
    reason = _reason(_("Whoever appealed reads this."))


class MessageForm(forms.Form):
    """A message to the reporter."""

    text = forms.CharField(
        label=_("Message to the reporter"),
        help_text=_(
            "Read with the return code. Never ask for a code, and for no more than you need."
        ),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
