"""A moment on the clock of the law that asks for something."""

from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from haechi import law
from haechi.errors import UnknownRule

# The clocks that law.time_zone() names.
CLOCKS: dict[str, Promise] = {
    "US": _("{time} in Washington"),
    "EU": _("{time} in Brussels"),
    "UK": _("{time} in London"),
    "AU": _("{time} in Sydney"),
    "KR": _("{time} in Seoul"),
    "CN": _("{time} in Beijing"),
    "IN": _("{time} in Delhi"),
}


def there(moment: datetime, jurisdiction: str) -> str:
    """The moment as a clock there shows it, or "" where no zone is known."""
    try:
        zone = law.time_zone(jurisdiction)
    except UnknownRule:
        return ""
    pattern = CLOCKS.get(jurisdiction)
    words = str(pattern) if pattern else gettext("{time} ({place})")
    return words.format(time=f"{moment.astimezone(zone):%Y-%m-%d %H:%M}", place=jurisdiction)
