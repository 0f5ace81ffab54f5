"""Every error Haechi raises, in one tree.

HaechiError
├── SettingRefused        setting.refused        a variable of the environment makes no sense
├── RolesMissing          setting.roles_missing  the database has no role for this process
├── RoleTooStrong         setting.role_too_strong a process would log in with rights it must not have
├── MediaError            a file that was handed in as a picture or video
│   ├── NotMedia          media.not_media        the content is no format we know
│   ├── UnsupportedMedia  media.unsupported      known, but not opened here
│   ├── BrokenMedia       media.broken           starts right, cannot be decoded
│   ├── TooManyBytes      media.too_many_bytes   longer than the limit
│   ├── TooManyFiles      media.too_many_files   more files than one report takes
│   ├── TooManyPixels     media.too_many_pixels  a bomb, or simply too large
│   ├── TooManyFrames     media.too_many_frames  a video that plays for too long
│   ├── DecodeTimeout     media.timeout          decoding took too long
│   ├── DecoderCrashed    media.crashed          the decoder process died
│   └── NoStream          media.no_stream        a camera, a screen or an address gives no picture
├── FacesMissing          faces.no_model         no model that finds faces is installed
├── FingerprintError
│   └── ModelMissing      fingerprint.no_model   the copy-detection model is not installed
├── ModelError            a detector that an operator brought
│   ├── ModelRefused      model.refused          card, file, digest or self-test do not fit
│   ├── ModelUnknown      model.unknown          no model of that name is in the registry
│   ├── ModelFailed       model.failed           it took too long, died or gave nonsense
│   ├── NothingToShow     model.nothing_to_show  no face, too small or too large for it
│   └── CalibrationRefused model.not_calibrated  the pictures do not allow to calibrate it
├── IndexDamaged          index.damaged          a snapshot is absent, old, cut or altered
├── PolicyRefused         policy.refused         a file of thresholds makes no sense
├── EvaluationError
│   ├── UnknownEdit       evaluation.unknown_edit no edit of that name
│   ├── ManifestRefused   evaluation.manifest    a list of labelled pictures makes no sense
│   └── TooFewPictures    evaluation.too_few     not enough pictures to say anything
├── LabelError
│   ├── LabelRefused      label.refused          what was asked for cannot stand in a label
│   ├── SigningFailed     label.signing_failed   C2PA: certificate and key do not fit, or no time stamp came
│   ├── PayloadRefused    watermark.payload      no id that the invisible mark can carry
│   ├── TooSmallToMark    watermark.too_small    a picture too small for the invisible mark
│   └── TooShortToMark    watermark.too_short    a sound too short for the inaudible mark
├── BlobError
│   ├── BlobMissing       blob.missing           no blob of that name
│   └── StorageUnavailable blob.unavailable      disk full, no permission, storage away
├── SealError
│   ├── CannotOpen        seal.cannot_open       wrong identity or damaged envelope
│   └── KeyMissing        seal.no_key            this process holds no such key
├── LedgerError
│   └── LedgerBroken      ledger.broken          an entry was changed, removed or reordered
├── LawError
│   ├── UnknownRule       law.unknown_rule       no such rule in the law tables
│   ├── RuleRefused       law.rule_refused       what was said of a rule cannot run as a clock
│   └── RuleChanged       law.rule_changed       somebody changed the rule meanwhile
├── FormatError
│   └── InvalidDocument   format.invalid         a document we made or got fails its schema
├── ReportError
│   ├── CodeUnknown       report.code_unknown    no report opens with this return code
│   ├── NothingReported   report.empty           neither a location, nor a picture
│   ├── LegalHold         report.legal_hold      an authority has asked that it be kept
│   ├── ReportErased      report.erased          its keys are destroyed; nobody can open it
│   ├── CodeInMessage     report.code_in_message a message that gives the return code away
│   ├── HandedOver        report.handed_over     its owner has her own code already
│   ├── ReportClosed      report.closed          it was withdrawn, so nothing is added to it
│   ├── ToldRefused       report.told_refused    a fingerprint told instead of a file is none
│   └── IntakeClosed      report.intake_closed   nothing can be stored safely now
├── UploadError
│   ├── UploadUnknown     upload.unknown         no such upload of this page; perhaps forgotten
│   ├── UploadBusy        upload.busy            another request is writing to it
│   ├── UploadUnfinished  upload.unfinished      not all of it has arrived
│   ├── WrongOffset       upload.wrong_offset    this piece does not follow what is there
│   ├── BadPiece          upload.bad_piece       cut off, empty, too long or without its headers
│   ├── NotSealed         upload.not_sealed      no age envelope for one X25519 recipient
│   ├── WrongKey          upload.wrong_key       sealed to another key than the one that came along
│   ├── UploadTooLong     upload.too_long        more than one file, or one page, may have
│   ├── TooManyUploads    upload.too_many        more uploads of one page than it may have
│   └── PageOver          upload.page_over       the page was open for too long
├── CaseError
│   ├── CaseClosed        case.closed            somebody decided first
│   ├── CaseClaimed       case.claimed           somebody else is working on it
│   ├── ReasonRequired    case.reason_required   a removal nobody explained
│   ├── NothingMissing    case.nothing_missing   nothing a law asks for is missing
│   ├── GrantNeeded       case.grant_needed      nobody said why it is opened
│   ├── GrantRevoked      case.grant_revoked     somebody took the right to open it away
│   ├── GroundUnknown     case.ground_unknown    the catalogue has no such ground for that verdict
│   ├── CitationUnknown   case.citation_unknown  no examination of the case has such a signal
│   ├── SecondNeeded      case.second_needed     one person alone does not refuse
│   ├── AlreadyLooked     case.already_looked    somebody who gave an opinion, or knows the first
│   ├── StatementRefused  case.statement_refused the reasons do not fit the EU's form
│   ├── BasisNeeded       package.basis_needed   evidence of a person under 18, and no law was named
│   └── ReceiverRefused   package.receiver       not an age recipient
├── MatchingError
│   ├── KeyRefused        matching.key_refused   no or wrong API key
│   ├── ScopeMissing      matching.scope_missing the key is not for this
│   ├── RateLimited       matching.rate_limited  more requests than this key or address has
│   ├── AddressRefused    matching.address_refused      not an address this service fetches
│   ├── AddressUnreachable matching.address_unreachable  nothing usable came from that address
│   ├── MatchBusy         matching.busy          all places and the queue are taken
│   ├── MatchUnavailable  matching.unavailable   the banks cannot be consulted now
│   ├── BodyTooSlow       matching.too_slow      the request did not arrive in time
│   ├── CheckUnknown      matching.check_unknown no such check of this platform
│   ├── ContentUnknown    matching.content_unknown no such content of this platform
│   ├── BankUnknown       matching.bank_unknown  no bank of that name
│   ├── BankNameTaken     matching.bank_name_taken there is a bank of that name already
│   └── MemberUnknown     matching.member_unknown no member of that number
├── TracingError
│   └── GenerationKnown   tracing.known          that number is of something else that was made
├── TooManyAtOnce         web.too_many           more than a network, a visit or a case may do just now
├── WebhookError
│   ├── WebhookForged     webhook.forged         the signature does not fit
│   ├── WebhookStale      webhook.stale          time stamp outside the window
│   └── WebhookReplayed   webhook.replayed       this delivery was seen before
├── DeliveryError
│   ├── DeliveryFailed    delivery.failed        a receiver did not accept; it will be tried again
│   ├── ActionUnknown     delivery.unknown       nothing of that key was asked of this platform
│   ├── RechecksOff       delivery.rechecks_off  looking at places outside is switched off
│   └── ActionAnswered    delivery.answered      it was answered, taken back or given up before
├── IncomingError
│   ├── SenderUnknown     incoming.sender_unknown no known sender has this key
│   ├── SenderUnclear     incoming.sender_unclear a signature cannot be checked now; tried again
│   └── IncomingUnknown   incoming.unknown       no notice of that number of this sender
├── AppealError
│   ├── NothingToAppeal   appeal.nothing         no refusal and no missed deadline
│   └── AppealUnknown     appeal.unknown         no decision fits this address
└── StaffError
    ├── LoginRefused      staff.login_refused    wrong name, password or token
    ├── LoginThrottled    staff.throttled        too many attempts from here
    ├── NotAllowed        staff.not_allowed      the role does not include this act
    ├── OwnRequest        staff.own_request      a second person is needed
    ├── TooManyStreams    staff.too_many_streams too many pages show changes by themselves
    └── BreakNeeded       staff.break_needed     enough was looked at for now

`code` never changes once released: clients, logs and translations rely on it.
"""

from datetime import datetime
from typing import ClassVar


class HaechiError(Exception):
    """Base of all. `str(error)` is for logs; people read the words that belong to `code`."""

    code: ClassVar[str] = "haechi.error"


class SettingRefused(HaechiError):
    """A variable of the environment is missing or makes no sense."""

    code = "setting.refused"

    def __init__(self, name: str, why: str) -> None:
        """`why` completes a sentence that begins with `name`."""
        super().__init__(f"{name} {why}")


class RolesMissing(HaechiError):
    """The database has no role for a process, and it cannot be made here."""

    code = "setting.roles_missing"

    def __init__(self, role: str) -> None:
        super().__init__(
            f"the database role {role} is missing; `haechi setup` makes it, where its own login may "
            f"make roles; otherwise an administrator runs CREATE ROLE {role} LOGIN NOINHERIT first"
        )


class RoleTooStrong(HaechiError):
    """A process would log in to the database with rights that it must not have."""

    code = "setting.role_too_strong"

    def __init__(self, process: str, verb: str, table: str) -> None:
        super().__init__(
            f"HAECHI_DATABASE_URL of this process may {verb} {table}, which {process} must not; give "
            f"it the address in database/{process}.url of the home (`haechi setup` writes it)"
        )


class MediaError(HaechiError):
    """A file that was handed in as a picture or a video cannot be used."""

    code = "media.error"


class NotMedia(MediaError):
    """The content is no picture or video format that Haechi knows."""

    code = "media.not_media"


class UnsupportedMedia(MediaError):
    """The format is known but this installation does not open it."""

    code = "media.unsupported"


class BrokenMedia(MediaError):
    """The content starts like a known format and cannot be decoded."""

    code = "media.broken"


class TooManyBytes(MediaError):
    """The file is longer than the limit in force."""

    code = "media.too_many_bytes"


class TooManyFiles(MediaError):
    """More files came with one report than it takes."""

    code = "media.too_many_files"


class TooManyPixels(MediaError):
    """The picture would decode to more pixels than the limit in force."""

    code = "media.too_many_pixels"


class TooManyFrames(MediaError):
    """The video has more frames, or plays for longer, than the limits in force."""

    code = "media.too_many_frames"


class DecodeTimeout(MediaError):
    """Decoding took longer than the limit in force."""

    code = "media.timeout"


class DecoderCrashed(MediaError):
    """The process that decoded this file died; nothing else was harmed."""

    code = "media.crashed"


class NoStream(MediaError):
    """A camera, a screen or an address cannot be opened, or gives no picture any more."""

    code = "media.no_stream"


class FacesMissing(HaechiError):
    """The model that finds faces is not installed, or its digest is not the pinned one."""

    code = "faces.no_model"


class FingerprintError(HaechiError):
    """A fingerprint cannot be made."""

    code = "fingerprint.error"


class ModelMissing(FingerprintError):
    """The copy-detection model is not installed, or its digest is not the pinned one."""

    code = "fingerprint.no_model"


class ModelError(HaechiError):
    """A detector that an operator brought."""

    code = "model.error"


class ModelRefused(ModelError):
    """Card, file, digest or self-test of a model do not fit; nothing was changed."""

    code = "model.refused"


class ModelUnknown(ModelError):
    """The registry has no model of that name."""

    code = "model.unknown"


class ModelFailed(ModelError):
    """A model took too long, died or gave what is no answer."""

    code = "model.failed"


class NothingToShow(ModelError):
    """This picture is not what the model is for; the words are the code of a limit."""

    code = "model.nothing_to_show"


class CalibrationRefused(ModelError):
    """These pictures do not allow to calibrate the model; nothing was changed."""

    code = "model.not_calibrated"


class IndexDamaged(HaechiError):
    """A snapshot of an index is absent, of another version, cut short or altered: make it anew."""

    code = "index.damaged"

    def __init__(self, path: object, why: str) -> None:
        """`path` is the file; `why` completes a sentence that begins with it."""
        super().__init__(f"{path} {why}")
        self.path = path
        self.why = why


class PolicyRefused(HaechiError):
    """A file of thresholds names an unknown field, or a value out of its range."""

    code = "policy.refused"


class EvaluationError(HaechiError):
    """A measurement of the search cannot be made."""

    code = "evaluation.error"


class UnknownEdit(EvaluationError):
    """There is no edit of that name."""

    code = "evaluation.unknown_edit"


class ManifestRefused(EvaluationError):
    """A list of labelled pictures makes no sense."""

    code = "evaluation.manifest"


class TooFewPictures(EvaluationError):
    """There are not enough pictures to say anything."""

    code = "evaluation.too_few"


class LabelError(HaechiError):
    """A file cannot be marked."""

    code = "label.error"


class LabelRefused(LabelError):
    """What was asked for cannot stand in a label: the standard, or the kind of file, has no way."""

    code = "label.refused"


class SigningFailed(LabelError):
    """A C2PA claim cannot be signed: certificate, key and algorithm do not fit, or no time stamp came."""

    code = "label.signing_failed"


class PayloadRefused(LabelError):
    """The invisible mark cannot carry this id."""

    code = "watermark.payload"

    def __init__(self, payload: int, bits: int) -> None:
        super().__init__(f"{payload} is not within {bits} bits")


class TooSmallToMark(LabelError):
    """The picture is too small for the invisible mark; nothing was changed."""

    code = "watermark.too_small"

    def __init__(self, width: int, height: int, least_px: int) -> None:
        super().__init__(f"{width} x {height}; each side needs {least_px} pixels")


class TooShortToMark(LabelError):
    """The sound is too short for the inaudible mark, or of no form that can bear it; nothing was changed."""

    code = "watermark.too_short"

    def __init__(self, length_s: float, least_s: float, form: str = "") -> None:
        super().__init__(form or f"{length_s:.1f} seconds; it needs {least_s:g}")


class BlobError(HaechiError):
    """Bytes by name cannot be stored or read."""

    code = "blob.error"


class BlobMissing(BlobError):
    """There is no blob of that name."""

    code = "blob.missing"


class StorageUnavailable(BlobError):
    """The disk is full, not writable, or the storage does not answer."""

    code = "blob.unavailable"


class SealError(HaechiError):
    """An envelope cannot be sealed or opened."""

    code = "seal.error"


class CannotOpen(SealError):
    """The identity does not fit this envelope, or the envelope is damaged."""

    code = "seal.cannot_open"


class KeyMissing(SealError):
    """This process does not hold the key that the act needs."""

    code = "seal.no_key"


class LedgerError(HaechiError):
    """The tamper-evident log."""

    code = "ledger.error"


class LedgerBroken(LedgerError):
    """An entry was changed, removed or reordered; `position` says which."""

    code = "ledger.broken"

    def __init__(self, position: int, why: str) -> None:
        """`position` is the number of the first entry that does not fit, from 1."""
        super().__init__(f"entry {position}: {why}")
        self.position = position
        self.why = why


class LawError(HaechiError):
    """The tables of law."""

    code = "law.error"


class UnknownRule(LawError):
    """No rule of that identifier is in the tables."""

    code = "law.unknown_rule"


class RuleRefused(LawError):
    """What was said about a rule cannot run as a clock."""

    code = "law.rule_refused"

    def __init__(self, rule: str, why: str) -> None:
        """`why` names what is wrong, as field names or words."""
        super().__init__(f"{rule}: {why}")
        self.why = why


class RuleChanged(LawError):
    """Somebody wrote a newer version of the rule meanwhile; nothing was changed."""

    code = "law.rule_changed"


class FormatError(HaechiError):
    """Wire formats."""

    code = "format.error"


class InvalidDocument(FormatError):
    """A document fails the schema of its format."""

    code = "format.invalid"


class ReportError(HaechiError):
    """The front door."""

    code = "report.error"


class CodeUnknown(ReportError):
    """No report opens with this return code. Wrong, unknown and malformed read the same."""

    code = "report.code_unknown"


class ToldRefused(ReportError):
    """What came as the fingerprint of a file that stayed at home cannot be one."""

    code = "report.told_refused"


class NothingReported(ReportError):
    """The form holds neither a location nor a picture, so there is nothing to act on."""

    code = "report.empty"


class LegalHold(ReportError):
    """An authority has asked that this report be kept, so it is not erased; nothing was changed."""

    code = "report.legal_hold"

    def __init__(self, until: datetime | None = None) -> None:
        """`until`: when the last of its holds ends, or None where one has no end yet."""
        super().__init__(f"held until {until.isoformat()}" if until else "held without an end")
        self.until = until


class ReportErased(ReportError):
    """The keys of this report are destroyed: nobody can open it, and nothing can be added."""

    code = "report.erased"


class IntakeClosed(ReportError):
    """Nothing can be sealed or stored at the moment, so nothing is accepted."""

    code = "report.intake_closed"


class CodeInMessage(ReportError):
    """The return code stands in something that people here would read; it is not stored."""

    code = "report.code_in_message"


class HandedOver(ReportError):
    """The person depicted has taken this report over; the code of her helper opens it no more."""

    code = "report.handed_over"


class ReportClosed(ReportError):
    """The report was withdrawn; it can be read, taken home and erased, and nothing is added."""

    code = "report.closed"


class UploadError(HaechiError):
    """Files that were sealed in the browser and come in pieces."""

    code = "upload.error"


class UploadUnknown(UploadError):
    """This page has no such upload, or it was forgotten; which of them is not said."""

    code = "upload.unknown"


class UploadBusy(UploadError):
    """Another request is writing to this upload; nothing of this one was."""

    code = "upload.busy"


class UploadUnfinished(UploadError):
    """Not all of the upload has arrived."""

    code = "upload.unfinished"


class WrongOffset(UploadError):
    """The piece does not begin where the last one ended; nothing was written."""

    code = "upload.wrong_offset"

    def __init__(self, received: int = 0) -> None:
        """`received`: how many bytes are there, durably."""
        super().__init__(f"{received} bytes are there")
        self.received = received


class BadPiece(UploadError):
    """The request is cut off, empty, too long, or lacks a number it must carry."""

    code = "upload.bad_piece"


class NotSealed(UploadError):
    """What was sent does not begin like an age envelope for exactly one X25519 recipient."""

    code = "upload.not_sealed"


class WrongKey(UploadError):
    """The envelope is for another key than the one that came with the form."""

    code = "upload.wrong_key"


class UploadTooLong(UploadError):
    """Longer than one file may be, or all files of one page together."""

    code = "upload.too_long"


class TooManyUploads(UploadError):
    """The page has as many uploads as it may."""

    code = "upload.too_many"


class PageOver(UploadError):
    """The page that sends is not one of ours, or was open for too long."""

    code = "upload.page_over"


class CaseError(HaechiError):
    """Cases and decisions."""

    code = "case.error"


class CaseClosed(CaseError):
    """Somebody decided first; nothing was changed."""

    code = "case.closed"


class CaseClaimed(CaseError):
    """Somebody else is working on this case."""

    code = "case.claimed"


class ReasonRequired(CaseError):
    """A decision that nobody explained."""

    code = "case.reason_required"


class CitationUnknown(CaseError):
    """A decision rests on a signal that no examination of its pictures has, or not any more."""

    code = "case.citation_unknown"


class NothingMissing(CaseError):
    """The request lacks nothing that a law with a clock asks for, so there is nothing to ask."""

    code = "case.nothing_missing"


class GrantNeeded(CaseError):
    """What the case holds opens only for who said why, and only for a while."""

    code = "case.grant_needed"


class GrantRevoked(CaseError):
    """Somebody took the right to open this case away; only another person gives it again."""

    code = "case.grant_revoked"


class GroundUnknown(CaseError):
    """The policy catalogue has no such ground, or not for this verdict, or not any more."""

    code = "case.ground_unknown"


class SecondNeeded(CaseError):
    """One person alone does not refuse; nothing was changed."""

    code = "case.second_needed"


class AlreadyLooked(CaseError):
    """A blind second look is not given by who gave the first, or knows it."""

    code = "case.already_looked"


class StatementRefused(CaseError):
    """Facts or explanation do not fit the statement of reasons; nothing was changed."""

    code = "case.statement_refused"

    def __init__(self, field: str = "", why: str = "") -> None:
        """`field` of the statement, and `why` in the words of haechi.formats."""
        super().__init__(f"{field} {why}")
        self.field = field


class BasisNeeded(CaseError):
    """A package would show a person under 18, and nobody named the law that allows it."""

    code = "package.basis_needed"


class ReceiverRefused(CaseError):
    """A package is for somebody whose key is no age recipient."""

    code = "package.receiver"


class MatchingError(HaechiError):
    """Banks, members and hits."""

    code = "matching.error"


class KeyRefused(MatchingError):
    """No API key, a wrong one, a revoked one, or one that has expired."""

    code = "matching.key_refused"


class ScopeMissing(MatchingError):
    """The key is good, and not for this."""

    code = "matching.scope_missing"

    def __init__(self, scope: str = "") -> None:
        """`scope` is the one that is missing."""
        super().__init__(f"this key has not the scope {scope}")
        self.scope = scope


class RateLimited(MatchingError):
    """This key or address has asked as often as it may; nothing was read."""

    code = "matching.rate_limited"

    def __init__(self, wait_s: float = 1.0) -> None:
        """`wait_s`: seconds until one more request is taken; above 0."""
        super().__init__(f"come back in {wait_s:.3f} s")
        self.wait_s = wait_s


class AddressRefused(MatchingError):
    """An address that this service does not fetch, whoever asks."""

    code = "matching.address_refused"


class AddressUnreachable(MatchingError):
    """An address that may be fetched, from which no usable answer came."""

    code = "matching.address_unreachable"


class MatchBusy(MatchingError):
    """All places and the whole queue are taken; nothing was read."""

    code = "matching.busy"


class MatchUnavailable(MatchingError):
    """The banks cannot be consulted now, so no verdict is given and nothing was recorded."""

    code = "matching.unavailable"


class BodyTooSlow(MatchingError):
    """The request body did not arrive in time."""

    code = "matching.too_slow"


class CheckUnknown(MatchingError):
    """No check of that number, made with this key, still has the digest of a file."""

    code = "matching.check_unknown"


class ContentUnknown(MatchingError):
    """This platform registered no content of that id."""

    code = "matching.content_unknown"


class BankUnknown(MatchingError):
    """There is no bank of that name."""

    code = "matching.bank_unknown"


class BankNameTaken(MatchingError):
    """There is a bank of that name already; nothing was changed."""

    code = "matching.bank_name_taken"


class MemberUnknown(MatchingError):
    """No bank has a member of that number."""

    code = "matching.member_unknown"


class TracingError(HaechiError):
    """The register of what AI services made."""

    code = "tracing.error"


class GenerationKnown(TracingError):
    """The service told that produce_id before, of something else; nothing was changed."""

    code = "tracing.known"


class TooManyAtOnce(HaechiError):
    """More was done from one network, in one visit or about one case than may be just now."""

    code = "web.too_many"


class WebhookError(HaechiError):
    """A signed message between Haechi and a platform is refused."""

    code = "webhook.error"


class WebhookForged(WebhookError):
    """The signature does not fit the body."""

    code = "webhook.forged"


class WebhookStale(WebhookError):
    """The time stamp lies outside the window."""

    code = "webhook.stale"


class WebhookReplayed(WebhookError):
    """This delivery was seen before."""

    code = "webhook.replayed"


class DeliveryError(HaechiError):
    """What is asked of platforms and of others outside."""

    code = "delivery.error"


class DeliveryFailed(DeliveryError):
    """A receiver did not accept; the delivery stays due and is tried again."""

    code = "delivery.failed"


class ActionUnknown(DeliveryError):
    """Nothing of that key was asked of this platform."""

    code = "delivery.unknown"


class RechecksOff(DeliveryError):
    """Looking at places outside is switched off here (HAECHI_RECHECKS)."""

    code = "delivery.rechecks_off"


class ActionAnswered(DeliveryError):
    """It was answered, taken back or given up before; nothing was changed."""

    code = "delivery.answered"


class IncomingError(HaechiError):
    """About notices that others send us."""

    code = "incoming.error"


class SenderUnknown(IncomingError):
    """No known sender has the key that this came with, or none came."""

    code = "incoming.sender_unknown"


class SenderUnclear(IncomingError):
    """The DNS gave no answer, so a signature cannot be checked now; it is tried again."""

    code = "incoming.sender_unclear"


class IncomingUnknown(IncomingError):
    """This sender sent no notice of that number."""

    code = "incoming.unknown"


class AppealError(HaechiError):
    """Appeals."""

    code = "appeal.error"


class NothingToAppeal(AppealError):
    """There is no refusal and no missed deadline, or it was appealed before."""

    code = "appeal.nothing"


class AppealUnknown(AppealError):
    """No decision fits this address."""

    code = "appeal.unknown"


class StaffError(HaechiError):
    """People who work here."""

    code = "staff.error"


class LoginRefused(StaffError):
    """Wrong name, password or token; which of them is not said."""

    code = "staff.login_refused"


class LoginThrottled(StaffError):
    """Too many attempts for this account from this address prefix."""

    code = "staff.throttled"


class NotAllowed(StaffError):
    """The person's role does not include this act."""

    code = "staff.not_allowed"


class TooManyStreams(StaffError):
    """More people have a page open that shows changes by itself than this process serves so."""

    code = "staff.too_many_streams"


class OwnRequest(StaffError):
    """A second person is needed, and this is the first."""

    code = "staff.own_request"


class BreakNeeded(StaffError):
    """Enough was looked at for now. The first argument is until when to rest (UTC)."""

    code = "staff.break_needed"
