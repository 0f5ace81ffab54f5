"""What the stored short forms are called on the pages of the desk."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from haechi.server.audit.models import Entry
from haechi.server.matching import told
from haechi.server.matching.models import Hit, Platform
from haechi.server.reports.models import Filer, Harm
from haechi.server.staff.models import User

HARMS: dict[str, Promise] = {
    Harm.MADE: _("fake made"),
    Harm.SHARED: _("shared"),
    Harm.THREATENED: _("threat"),
    Harm.EXTORTED: _("extortion"),
    Harm.SOLD: _("sold"),
    Harm.DOXXED: _("personal data shown"),
    Harm.WATCHED: _("watched or followed"),
}

FILERS: dict[str, Promise] = {
    Filer.SELF: _("the person who is shown"),
    Filer.PARENT: _("a parent or guardian"),
    Filer.LAWYER: _("a lawyer"),
    Filer.HOTLINE: _("a hotline or support centre"),
    Filer.FRIEND: _("a friend or somebody trusted"),
}

VERDICTS: dict[str, Promise] = {
    "identical_file": _("The same file"),
    "same_picture": _("The same picture"),
    "edited_copy": _("An edited copy"),
    "named": _("Named in the report"),
}

FOUND_BY: dict[str, Promise] = {
    "sha256": _("by the digest of the file"),
    "pdq": _("by how it looks (PDQ)"),
    "pdq_turned": _("by how it looks, turned or mirrored (PDQ)"),
    "sscd": _("by what it shows (copy detection)"),
    "sscd_view": _("by what a part of it shows (copy detection)"),
    "location": _("by the address"),
}

TAGS: dict[str, Promise] = {
    "report:received": _("Report received"),
    "report:visited": _("Reporter looked at the report"),
    "report:opened": _("Report read"),
    "report:rewrapped": _("Report sealed to other keys of the vault"),
    "report:keys_destroyed": _("Keys of the report destroyed"),
    "report:erased": _("Report erased"),
    "hold:placed": _("Legal hold placed"),
    "hold:released": _("Legal hold released"),
    "hold:read": _("Grounds of a legal hold read"),
    "erasure:asked": _("Erasure asked for"),
    "erasure:note_read": _("Note of an erasure read"),
    "erasure:agreed": _("Erasure agreed to by a second person"),
    "erasure:refused": _("Erasure refused"),
    "note:written": _("Note written"),
    "retention:changed": _("Time that reports are kept changed"),
    "blob:orphan_removed": _("File without a row removed"),
    "blob:unfinished_removed": _("Unfinished file removed"),
    "report:places_added": _("Reporter added places"),
    "report:corrected": _("Reporter changed what was written"),
    "report:handed_over": _("Report handed over to the person depicted"),
    "report:taken_home": _("Reporter saved everything"),
    "report:withdrawn": _("Reporter took the report back"),
    "message:sent": _("Message sent"),
    "message:read": _("Message read"),
    "nudge:wanted": _("Reporter wants e-mails without content"),
    "nudge:stopped": _("Reporter wants no more e-mails"),
    "exhibit:sealed": _("Picture sealed"),
    "exhibit:opened": _("Picture opened"),
    "exhibit:lifted": _("Veil lifted"),
    "exhibit:exported": _("Picture exported"),
    "exhibit:transferred": _("Picture handed over"),
    "exhibit:stamped": _("Receipt time-stamped"),
    "exhibit:verified": _("Picture is as the sender's device told"),
    "exhibit:corrected": _("Picture is not as the sender's device told"),
    "exhibit:fingerprinted": _("Fingerprint made"),
    "exhibit:refused": _("Picture cannot be used"),
    "origin:made": _("Examined for how it was made"),
    "origin:asked_again": _("Examination asked for again"),
    "origin:failed": _("Could not be examined for how it was made"),
    "donor:given": _("Reporter gave pictures to compare with"),
    "donor:opened": _("Pictures to compare with opened"),
    "donor:deleted": _("Pictures to compare with deleted"),
    "told:received": _("Fingerprint told by the reporter"),
    "told:flagged": _("Told fingerprint in doubt"),
    "told:confirmed": _("Told fingerprint confirmed by a look at what it fits"),
    "case:opened": _("Case opened"),
    "case:claimed": _("Case taken"),
    "case:released": _("Case given back"),
    "case:handed_over": _("Case given to a colleague"),
    "case:note_read": _("Notes of colleagues read"),
    "case:set_aside": _("Case given back for good"),
    "case:undoing_asked": _("Asked to be shown a case again that was set aside"),
    "case:undoing_read": _("Read why somebody wants to be shown a case again"),
    "case:shown_again": _("Setting a case aside undone"),
    "case:stays_aside": _("Setting a case aside not undone"),
    "queue:weight_changed": _("Order of the queue changed"),
    "queue:searched": _("Cases searched for"),
    "case:decided": _("Case decided"),
    "case:paused": _("Case waits for somebody outside"),
    "case:back": _("Case came back"),
    "review:opinion": _("Opinion given, for a second look"),
    "review:settled": _("Second look ended"),
    "review:drawn": _("Drawn by lot for a second look"),
    "sampling:changed": _("How many decisions are drawn changed"),
    "policy:changed": _("Policy catalogue changed"),
    "grant:asked": _("Name and contact asked for"),
    "grant:note_read": _("Note of a request read"),
    "grant:given": _("Right to open given"),
    "grant:ended": _("Right to open ended"),
    "package:asked": _("Package of evidence asked for"),
    "package:agreed": _("Package of evidence agreed to"),
    "package:refused": _("Package of evidence refused"),
    "package:made": _("Package of evidence made"),
    "package:taken": _("Package of evidence saved from the desk"),
    "package:received": _("Package of evidence arrived"),
    "case:withdrawn": _("Case closed: the report was taken back"),
    "case:reopened": _("Case opened again after an appeal"),
    "clock:started": _("Clock started"),
    "clock:stopped": _("Clock stopped"),
    "clock:resumed": _("Clock runs again"),
    "clock:missed": _("Clock ran out"),
    "clock:paused": _("Clock stands while the reporter is asked"),
    "rule:confirmed": _("Rule of law confirmed"),
    "rule:ended": _("Rule of law switched off"),
    "report:asked": _("Reporter asked for what is missing"),
    "action:asked": _("Removal asked for"),
    "action:done": _("Removal confirmed"),
    "action:refused": _("Platform refused"),
    "action:late": _("Platform takes too long"),
    "action:asked_again": _("Platform asked again"),
    "action:given_up": _("Order to a platform given up"),
    "trace:asked": _("Asked which service made a file"),
    "trace:generation_opened": _("Looked where a made file is"),
    "trace:hold_read": _("Reason for holding records read"),
    "trace:held": _("Records of made files held for a law or a court"),
    "trace:naming_asked": _("Account of a made file asked for"),
    "trace:reasons_read": _("Reasons for naming an account read"),
    "trace:naming_given": _("Naming of an account allowed"),
    "trace:naming_ended": _("Naming of an account refused or ended"),
    "trace:account_opened": _("Account of a made file opened"),
    "trace:account_erased": _("Records of an account erased for its service"),
    "trace:expired": _("Records of made files over"),
    "trace:resealed": _("Records of made files sealed anew"),
    "recheck:asked": _("Places outside looked at on request"),
    "recheck:seen": _("Place outside looked at"),
    "recheck:opened": _("Kept page taken"),
    "trial:made": _("Test message made"),
    "platform:changed": _("How a platform is reached was changed"),
    "platform:secret_rotated": _("Secret of a platform's messages changed"),
    "member:confirmed": _("Picture added to the bank"),
    "member:withdrawn": _("Picture taken out of the bank"),
    "member:pending": _("Picture listed, not yet confirmed"),
    "member:changed": _("What is kept beside a picture changed"),
    "member:held": _("Picture held for a person"),
    "member:released": _("Picture released"),
    "opinion:given": _("Opinion on a listed picture"),
    "sighting:settled": _("Find dealt with"),
    "bank:made": _("Bank made"),
    "bank:changed": _("Bank changed"),
    "bank:enabled": _("Bank switched on"),
    "bank:disabled": _("Bank switched off"),
    "bank:deleted": _("Bank deleted"),
    "source:made": _("Source of a bank described"),
    "source:changed": _("Source of a bank changed"),
    "notice:queued": _("Notice written"),
    "notice:withdrawn": _("Notice not sent: the report was taken back"),
    "notice:sent": _("Notice sent"),
    "incoming:taken": _("Notice taken in"),
    "incoming:folded": _("The same notice came again"),
    "incoming:waiting": _("Notice put before a person"),
    "incoming:read": _("Notice read as it arrived"),
    "incoming:opened": _("Case made of a notice"),
    "incoming:aside": _("Notice set aside"),
    "incoming:answered": _("Sender of the notice told"),
    "sender:added": _("Sender of notices added"),
    "sender:changed": _("Sender of notices changed"),
    "notice:sent_by_hand": _("Notice sent by hand"),
    "notice:impossible": _("No notice could be written about a place"),
    "notice:refused": _("Notice refused by its receiver"),
    "notice:released": _("Notice let go"),
    "notice:reply": _("Something came back about a notice"),
    "notice:answered": _("What became of places was written down"),
    "notice:opened": _("Notice read"),
    "notice:hurried": _("Next step of a notice hurried"),
    "notice:chase_stopped": _("Notice is not chased any more"),
    "notice:settled": _("Notice settled"),
    "notice:chain_ended": _("Nobody is left to ask"),
    "directory:row": _("Directory changed"),
    "statement:made": _("Statement of reasons written"),
    "key:added": _("Key of a platform made"),
    "key:revoked": _("Key of a platform stopped"),
    "staff:added": _("Account made"),
    "staff:login": _("Logged in"),
    "staff:login_refused": _("Login refused"),
    "staff:logout": _("Logged out"),
    "staff:password_changed": _("Password changed"),
    "staff:role_changed": _("Role changed"),
    "staff:second_factor_changed": _("Second factor changed"),
    "staff:disabled": _("Account closed"),
    "staff:enabled": _("Account opened again"),
    "appeal:received": _("Appeal received"),
    "appeal:opened": _("Appeal read"),
    "appeal:resealed": _("Appeal sealed to other keys of the vault"),
    "appeal:answered": _("Appeal answered"),
}

ACTORS: dict[str, Promise] = {
    "reporter": _("reporter"),
    "worker": _("Haechi"),
    "poster": _("who posted it"),
    "operator": _("the operator"),
    "stranger": _("nobody logged in"),
}


TOLD = _("by a fingerprint the reporter told; nobody here has seen that picture")


def found_by(hit: Hit) -> Promise | str:
    """How a hit was made."""
    if hit.found_by.startswith(told.BY):
        return TOLD
    return FOUND_BY.get(hit.found_by, hit.found_by)


def harms(stored: Iterable[str]) -> list[Promise | str]:
    """Short names of what happened."""
    return [HARMS.get(harm, harm) for harm in stored]


def closeness(hit: Hit) -> str:
    """How near a hit is, where that was measured."""
    if hit.distance_bits is not None:
        words = gettext("{bits} of 256 bits differ")
        return words.format(bits=hit.distance_bits)
    if hit.similarity is not None:
        return gettext("likeness {number} of 1").format(number=f"{hit.similarity:.2f}")
    return ""


class Names:
    """Names of everybody in a list of entries, read with two queries."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._names = _names({entry.actor for entry in entries})

    def of(self, entry: Entry) -> str:
        """The entry's actor as people call it."""
        return self._names.get(entry.actor) or str(ACTORS.get(entry.actor, entry.actor))


def who(actor: str) -> str:
    """Somebody as the log names them, as people call them."""
    return _names({actor}).get(actor) or str(ACTORS.get(actor, actor))


def _names(actors: set[str]) -> dict[str, str]:
    staff = User.objects.filter(pk__in=_keys(actors, "staff"))
    platforms = Platform.objects.filter(pk__in=_keys(actors, "platform"))
    return {
        **{user.name_in_log: str(user) for user in staff},
        **{platform.name_in_log: str(platform) for platform in platforms},
    }


def _keys(actors: Iterable[str], kind: str) -> list[int]:
    parts = (actor.partition(":") for actor in actors)
    return [int(key) for what, _colon, key in parts if what == kind and key.isdecimal()]
