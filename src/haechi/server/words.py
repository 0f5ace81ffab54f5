"""What a stable error code says to a person: what happened, what was kept, what to do next."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from haechi.errors import HaechiError

WORDS: dict[str, Promise] = {
    "media.not_media": _(
        "This file is not a picture or video we can read. What you wrote is still here. "
        "Choose another file, or send the report without one."
    ),
    "media.unsupported": _(
        "We know this kind of file but cannot open it yet. What you wrote is still here. "
        "A screenshot of it works too."
    ),
    "media.broken": _(
        "This file is damaged and cannot be opened. What you wrote is still here. "
        "A screenshot of it works too."
    ),
    "media.too_many_bytes": _(
        "This file is larger than 50 MB. What you wrote is still here. "
        "Choose a smaller file or a screenshot, or send the report without one."
    ),
    "media.too_many_files": _(
        "These are more files than one report takes. The first ones are kept; "
        "you can add the others in a second report."
    ),
    "media.too_many_pixels": _(
        "This picture is too large to open safely. What you wrote is still here. "
        "A screenshot of it works too."
    ),
    "media.too_many_frames": _(
        "This video is too long to look at. What you wrote is still here. "
        "A shorter part of it or a screenshot works too."
    ),
    "media.timeout": _("Opening this file took too long. A screenshot of it works too."),
    "media.crashed": _("This file could not be opened safely. A screenshot of it works too."),
    "media.no_stream": _("No picture comes from this camera, screen or address."),
    "fingerprint.no_model": _("The model that finds edited copies is not installed here."),
    "blob.missing": _("A stored file cannot be found. The people who run this site were told."),
    "blob.unavailable": _(
        "We cannot store anything safely at the moment, so we did not take your report. "
        "Please try again in a while; the help page lists others who can help now."
    ),
    "seal.cannot_open": _("This cannot be opened with the key at hand."),
    "seal.no_key": _("This part of the service does not hold the key for that."),
    "law.unknown_rule": _("There is no such rule in the tables of law."),
    "law.rule_refused": _("This cannot run as a clock as it stands. Nothing was changed."),
    "law.rule_changed": _(
        "Somebody else changed this rule meanwhile. Nothing of yours was written. "
        "Read the newest version and begin again."
    ),
    "case.nothing_missing": _("Nothing that a law asks for is missing. Nothing was sent."),
    "report.code_unknown": _(
        "We found no report for this code. Check each word or digit; spaces do not matter. "
        "For your protection we cannot reset a code, but you can always send a new report."
    ),
    "report.empty": _("Tell us at least one place where it is, or add a picture."),
    "report.told_refused": _(
        "The fingerprints did not arrive whole, so none was kept. What you wrote is still here. "
        "Please choose the files again."
    ),
    "report.intake_closed": _(
        "We cannot take reports safely at the moment, so nothing was stored. "
        "Please try again in a while; the help page lists others who can help now."
    ),
    "report.legal_hold": _(
        "An authority has asked us to keep this report, so we may not erase it now. "
        "Nothing was changed."
    ),
    "report.erased": _("This report was erased. Nobody can open it any more."),
    "report.code_in_message": _(
        "Your code stands in this, so we did not take it. Nobody here may see your code, and nobody "
        "will ever ask for it. Take it out and send the rest."
    ),
    "report.handed_over": _(
        "The person this is about has a code of their own now, so the earlier code no longer works."
    ),
    "report.closed": _(
        "You took this report back, so nothing can be added. You can send a new one at any time."
    ),
    "appeal.nothing": _(
        "There is nothing to object to at the moment: nothing was refused, and no deadline has run out."
    ),
    "upload.unknown": _(
        "A file did not arrive whole or was held for too long. What you wrote is still here. "
        "Please add the file again."
    ),
    "upload.busy": _("This file is being written down. It goes on in a moment."),
    "upload.unfinished": _(
        "A file has not arrived whole yet. What you wrote is still here. Please add the file again."
    ),
    "upload.wrong_offset": _("A part of this file was sent twice. It goes on by itself."),
    "upload.bad_piece": _("A part of this file was lost on the way. It is sent again."),
    "upload.not_sealed": _(
        "This file was not locked before it was sent, so we did not take it. "
        "Please load the page again and add the file once more."
    ),
    "upload.wrong_key": _(
        "A file was locked with another key, so nobody here could have opened it. "
        "What you wrote is still here. Please add the file again."
    ),
    "upload.too_long": _(
        "This is more than we can take at once: up to 2 GB for one file. "
        "A shorter part of it or a screenshot works too."
    ),
    "upload.too_many": _(
        "More files than one report takes were added. Please send the others in a second report."
    ),
    "upload.page_over": _(
        "This page was open for too long. Send what you wrote; then add the files again."
    ),
    "exhibit.kept": _(
        "It is kept, locked, but it is too long to be compared with others by machine. "
        "A shorter part of it or a screenshot can be compared."
    ),
    "case.closed": _("Somebody decided first. Nothing of yours was written."),
    "case.claimed": _("Somebody else is working on this. Nothing was changed."),
    "case.reason_required": _("A decision needs a reason. Nothing was changed."),
    "package.basis_needed": _(
        "A person under 18 is concerned. Name the law that allows handing this over."
    ),
    "package.receiver": _("This is no age key. It begins with age1 and comes from the receiver."),
    "case.grant_needed": _("This is sealed. Say why you open it; nothing was changed."),
    "case.grant_revoked": _(
        "Your right to open this case was taken away. Another person can give it again. "
        "Nothing was changed."
    ),
    "case.ground_unknown": _(
        "This ground cannot be used for this decision, or not any more. Choose another. "
        "Nothing was changed."
    ),
    "case.citation_unknown": _(
        "A finding you rest on is not there any more: the picture was examined anew. Look at the "
        "findings again. Nothing was changed."
    ),
    "case.second_needed": _("One person alone does not refuse a report. Nothing was changed."),
    "case.already_looked": _(
        "You have given your opinion on this case or know what was decided, so somebody else looks "
        "now. Nothing was changed."
    ),
    "case.statement_refused": _(
        "These words do not fit the statement of reasons. Nothing was changed, and what you wrote "
        "is still here."
    ),
    "delivery.rechecks_off": _(
        "Looking at places outside is switched off in this installation. Nothing was asked."
    ),
    "delivery.answered": _(
        "The platform has answered meanwhile, or somebody here has settled it. Nothing was changed."
    ),
    "incoming.sender_unknown": _("Nobody we know signed this, or sent their key."),
    "incoming.sender_unclear": _("Who sent this cannot be checked now; it is tried again."),
    "incoming.unknown": _("There is no such notice, or somebody dealt with it before."),
    "appeal.unknown": _("This address leads to no decision. Check that it is complete."),
    "staff.login_refused": _("Name, password or token is wrong. Each token works once."),
    "staff.throttled": _("Too many attempts from here. Please wait a quarter of an hour."),
    "staff.not_allowed": _("Your role does not include this, or you decided this case yourself."),
    "staff.own_request": _("This needs a second person. Nothing was changed."),
    "staff.too_many_streams": _(
        "Many have this page open, so it does not change by itself. Reload it to look again."
    ),
    "staff.break_needed": _(
        "You have looked at enough for now. Please rest; nothing waits on you."
    ),
    "web.csrf": _(
        "This page was open for too long or cookies are off, so nothing was sent. "
        "Go back, reload the page and send it again."
    ),
    "web.not_found": _("There is no page at this address."),
    "web.away": _(
        "We cannot reach our records at the moment. Nothing is lost. Please try again in a while; "
        "the help page lists others who can help now."
    ),
    "web.failed": _("Something went wrong on our side. Nothing you sent was shown to anybody."),
    "web.too_many": _(
        "Very much has arrived from your network in a short time. That need not be you: many "
        "people can share one connection. Nothing you wrote is lost; it is still here. Please "
        "send it again in a few minutes."
    ),
    "web.too_large": _("This is more than we can take at once. Nothing was stored."),
}


# The laws whose clocks may run: name, and what must be done. Other rules keep the words of the
# tables of law, which are in the language of their source.
LAWS: dict[str, tuple[Promise, Promise]] = {
    "us_tida_remove": (
        _("United States: TAKE IT DOWN Act, section 3"),
        _("Remove the picture and look for known identical copies."),
    ),
    "kr_tba_report_result": (
        _("Korea: Telecommunications Business Act, article 22-5"),
        _("Tell the person who reported what was done."),
    ),
    "promise": (
        _("Our own promise to the sender"),
        _("Answer the notice item by item."),
    ),
    "au_ibia_removal": (
        _("Australia: Online Safety Act 2021, sections 77 to 79"),
        _("Remove the picture or stop hosting it."),
    ),
    "au_adult_abuse_removal": (
        _("Australia: Online Safety Act 2021, adult cyber-abuse"),
        _("Remove the material or stop hosting it."),
    ),
    "us_2258a_report": (
        _("United States: 18 U.S.C. 2258A"),
        _("Report apparent child sexual abuse material to the CyberTipline."),
    ),
    "eu_dsa16_confirm": (
        _("European Union: Digital Services Act, article 16(4)"),
        _("Confirm to whoever reported that it has arrived."),
    ),
    "eu_dsa16_decide": (
        _("European Union: Digital Services Act, article 16(5) and (6)"),
        _("Decide with care, and tell whoever reported what was decided and how to object."),
    ),
    "eu_dsa17_sor": (
        _("European Union: Digital Services Act, article 17"),
        _("Give reasons to whoever posted it."),
    ),
    "eu_dsa18_threat": (
        _("European Union: Digital Services Act, article 18"),
        _("Inform the police or the courts of a threat to life or safety."),
    ),
    "eu_dsa24_5": (
        _("European Union: Digital Services Act, article 24(5)"),
        _("Send the statement of reasons to the public database, without personal data."),
    ),
    "eu_dir1385_art23": (
        _("European Union: Directive 2024/1385, article 23"),
        _("Remove or block what an order names."),
    ),
    "uk_osa_48h": (
        _("United Kingdom: Online Safety Act 2023, intimate images"),
        _("Remove it, and what is the same or almost the same."),
    ),
    "uk_osa_csea": (
        _("United Kingdom: Online Safety Act 2023, child sexual abuse"),
        _("Report it to the National Crime Agency."),
    ),
    "cn_civil_1195": (
        _("China: Civil Code, article 1195"),
        _("Forward the notice to the user and delete, block or cut the link."),
    ),
    "cn_minor_stop": (
        _("China: Regulations on the Protection of Minors Online, article 29"),
        _("Stop it spreading at once, keep a record, tell the authorities."),
    ),
    "in_order": (
        _("India: IT Rules, order of a court or the government"),
        _("Remove what the order names."),
    ),
    "in_ncii": (
        _("India: IT Rules, intimate and faked pictures"),
        _("Remove it or block access."),
    ),
    "in_grievance": (
        _("India: IT Rules, grievances"),
        _("Settle the complaint."),
    ),
}


def law_name(rule: str, as_written: str) -> str:
    """The name of a law in the reader's language where we have it, otherwise as it is written."""
    return str(LAWS[rule][0]) if rule in LAWS else as_written


def law_action(rule: str, as_written: str) -> str:
    """What a law asks for, in the reader's language where we have it."""
    return str(LAWS[rule][1]) if rule in LAWS else as_written


def words_for(error: HaechiError | str) -> Promise:
    """The words for an error or a code; the general ones where a code has none of its own."""
    code = error if isinstance(error, str) else error.code
    return WORDS.get(code, WORDS["web.failed"])
