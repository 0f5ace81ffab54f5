"""What people fill in around the queue: filters, a view's name, the next one, weights, searches."""

from collections.abc import Iterable, Mapping

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from haechi.errors import ReasonRequired
from haechi.server.cases import rules, urgency
from haechi.server.cases.queue import Asked
from haechi.server.desk import vocabulary
from haechi.server.matching.models import Platform
from haechi.server.staff.models import Role, User
from haechi.server.words import law_name, words_for

type Choices = Iterable[tuple[str, str | Promise]]

LONGEST_NOTE = 2_000
LONGEST_SEARCH = 2_000


def _choice(label: Promise, choices: Choices, any_one: Promise) -> forms.ChoiceField:
    every = [("", any_one), *choices]
    return forms.ChoiceField(label=label, choices=every, required=False)  # type: ignore[arg-type]


class FilterForm(forms.Form):
    """The filters of the queue, as they stand in the page's address."""

    age = _choice(
        _("Age"),
        [("minor", _("under 18")), ("unsaid", _("age not said")), ("adult", _("18 or older"))],
        _("any"),
    )
    danger = _choice(_("Danger"), [("yes", _("somebody is in danger"))], _("any"))
    harm = _choice(_("What happened"), vocabulary.HARMS.items(), _("anything"))
    state = _choice(
        _("State"),
        [("open", _("open")), ("second", _("waiting for a second look"))],
        _("any"),
    )
    holder = _choice(
        _("Who"),
        [
            ("nobody", _("nobody")),
            ("me", _("you")),
            ("others", _("somebody else")),
            ("kept", _("given to you")),
        ],
        _("anybody"),
    )
    hits = _choice(_("Found"), [("yes", _("something")), ("no", _("nothing"))], _("any"))
    law = _choice(_("Law"), (), _("any"))
    platform = _choice(_("Platform"), (), _("any"))

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="filter_%s")
        laws = ((rule.id, law_name(rule.id, rule.law)) for rule in rules.current().values())
        platforms = Platform.objects.order_by("name").values_list("pk", "name")
        self._add("law", sorted(laws, key=lambda one: str(one[1])))
        self._add("platform", [(str(pk), name) for pk, name in platforms])

    def _add(self, name: str, choices: Choices) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # as made above
        field.choices = [*field.choices, *choices]  # type: ignore[misc]

    def asked(self) -> Asked:
        """What is asked for; a filter that makes no sense asks for nothing."""
        self.is_valid()
        return Asked(**{name: self.cleaned_data.get(name, "") for name in self.fields})

    def said(self) -> list[tuple[str, str]]:
        """The filters that are set, in words."""
        self.is_valid()
        set_ones = [(name, self.cleaned_data.get(name)) for name in self.fields]
        return [
            (str(self.fields[name].label), self._word(name, one)) for name, one in set_ones if one
        ]

    def _word(self, name: str, chosen: object) -> str:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # as made above
        return str(dict(field.choices)[chosen])  # type: ignore[arg-type]


def address_of(asked: Asked) -> str:
    """The filters as the page's address has them, without a question mark."""
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in vars(asked).items() if value})
    return query.urlencode()


class ViewForm(forms.Form):
    """A name for the filters as they are now."""

    name = forms.CharField(label=_("Name of the view"), max_length=40)
    asked = forms.CharField(max_length=300, required=False, widget=forms.HiddenInput)
    shared = forms.BooleanField(label=_("For everybody who reviews"), required=False)

    def clean_asked(self) -> str:
        """Filters and nothing else: never what somebody searched for."""
        return address_of(FilterForm(QueryDict(self.cleaned_data["asked"])).asked())


class HandOverForm(forms.Form):
    """To whom, and what they should know."""

    to = forms.ModelChoiceField(label=_("To"), queryset=User.objects.none())
    note = forms.CharField(
        label=_("Note"),
        help_text=_("Sealed with the case; whoever opens the case reads it."),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Mapping[str, object] | None, user: User) -> None:
        super().__init__(data, auto_id="hand_%s")
        people = User.objects.filter(Q(role=Role.REVIEWER, is_active=True) & ~Q(pk=user.pk))
        self.fields["to"].queryset = people.order_by("display_name")  # type: ignore[attr-defined]


class WeightForm(forms.Form):
    """By how many hours one thing brings a case forward, and why that is changed."""

    use_required_attribute = False

    name = forms.ChoiceField(
        choices=[(name, name) for name in urgency.USUAL], widget=forms.HiddenInput
    )
    hours = forms.IntegerField(label=_("Hours"), min_value=0, max_value=urgency.MOST_HOURS)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        error_messages={"required": words_for(ReasonRequired.code)},  # type: ignore[dict-item]
    )


class SearchForm(forms.Form):
    """What somebody looks for: words, or a picture."""

    words = forms.CharField(
        label=_("Number of a case, an address, a room or an account"),
        max_length=LONGEST_SEARCH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    picture = forms.FileField(
        label=_("Or a picture or video"),
        help_text=_(
            "Choose it, or drop it on the field. It is compared and forgotten; nothing of it is kept."
        ),
        required=False,
        allow_empty_file=True,
    )
