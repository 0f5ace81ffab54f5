"""What each process may do in the database: one row for every table, as data.

A new table needs a row here (tests/flow/test_roles.py says which). Staff's processes may do what is
usual unless the row says otherwise; the public site and the match service may do nothing unless it
says so. `haechi setup` brings the database to what stands here (roles.apply).

Nobody but the owner, who sets up and migrates, may change a table's form, empty it or switch a trigger
off; and nobody but the owner changes or deletes an entry of the audit log.
"""

from dataclasses import dataclass
from typing import Final

PROCESSES = ("public", "desk", "worker", "match", "mail")


@dataclass(frozen=True)
class Columns:
    """Some columns of a table: those named, or with `but` all except those named."""

    names: tuple[str, ...] = ()
    but: bool = False

    def of(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Those among `columns`, in their order."""
        return tuple(name for name in columns if (name in self.names) != self.but)


def only(*names: str) -> Columns:
    """These columns."""
    return Columns(names)


def all_but(*names: str) -> Columns:
    """Every column except these."""
    return Columns(names, but=True)


ALL: Final = all_but()
NONE: Final = only()


@dataclass(frozen=True)
class Right:
    """What one process may do with one table. `delete` is for whole rows."""

    read: Columns = NONE
    add: Columns = NONE
    change: Columns = NONE
    delete: bool = False


@dataclass(frozen=True)
class Row:
    """One table. `why` says what the public site and the match service need it for, or why not."""

    why: str
    public: Right = Right()
    match: Right = Right()
    mail: Right = Right()
    desk: Right = Right(read=ALL, add=ALL, change=ALL)
    worker: Right = Right(read=ALL, add=ALL, change=ALL)


READS = Right(read=ALL)
KEEPS = Right(read=ALL, add=ALL)
ERASES = Right(read=ALL, add=ALL, change=ALL, delete=True)

# What public reads with `all_but` is a Withheld*Field in the model, so that Django does not ask for it.
TABLES: dict[str, Row] = {
    # --- staff and sessions: nothing of them is anybody else's business
    "staff_user": Row("Passwords and second factors."),
    "staff_loginattempt": Row("Failed logins.", desk=ERASES, worker=ERASES),
    "django_session": Row("Sessions of the desk.", desk=ERASES, worker=ERASES),
    "auth_group": Row("Unused.", desk=Right(), worker=Right()),
    "auth_group_permissions": Row("Unused.", desk=Right(), worker=Right()),
    "auth_permission": Row("Unused.", desk=Right(), worker=Right()),
    "django_content_type": Row("Unused.", desk=READS, worker=READS),
    "django_migrations": Row("What was migrated.", desk=READS, worker=READS),
    # --- the log: only through audit_record(), which chains what it writes
    "audit_entry": Row(
        "Public counts entries, and proves with hashes that one is there; what is in one, only"
        " audit_told() tells it.",
        public=Right(read=only("position", "hash")),
        desk=READS,
        worker=READS,
    ),
    "audit_checkpoint": Row("Public shows them.", public=READS, desk=READS, worker=KEEPS),
    "audit_node": Row("Public proves with them.", public=READS, desk=READS, worker=KEEPS),
    "audit_anchor": Row("Where checkpoints were laid down.", desk=READS, worker=KEEPS),
    # --- reports
    "reports_report": Row(
        "Public takes it in and shows it to its reporter, who corrects it, hands it over, takes it"
        " back and has it erased; it never reads the vault's wrap.",
        public=Right(
            read=all_but("wrap_vault"),
            add=ALL,
            change=only(
                "lookup", "wrap_code", "wrap_vault", "wrapped_to", "submission", "handover",
                "sealed", "corrected_at", "news_at", "state", "settled_at",
            ),
        ),
        worker=ERASES,
    ),
    "reports_location": Row("Public takes it in and shows it.", public=KEEPS, worker=ERASES),
    "reports_message": Row(
        "Public writes and reads messages of a visit.",
        public=Right(read=ALL, add=ALL, change=only("read_at")),
        worker=ERASES,
    ),
    "reports_earlierstory": Row("Public keeps what was corrected.", public=KEEPS, worker=ERASES),
    "reports_nudge": Row("Public takes the wish for news, and ends it.", public=ERASES, worker=ERASES),
    "reports_hold": Row("Public tells that a report must be kept.", public=READS, worker=ERASES),
    "reports_retention": Row("Public tells how long a report is kept.", public=READS),
    "reports_tombstone": Row("Public begins an erasure.", public=KEEPS),
    "reports_visit": Row(
        "Public starts, prolongs and ends visits.",
        public=Right(read=ALL, add=ALL, change=only("seen_at"), delete=True),
        desk=ERASES,
        worker=ERASES,
    ),
    # --- evidence
    "evidence_exhibit": Row("Public takes it in and counts it.", public=KEEPS, worker=ERASES),
    "evidence_stamp": Row("What a time stamp authority said; staff's.", worker=ERASES),
    "evidence_upload": Row("Public gathers pieces of a file.", public=ERASES, worker=ERASES),
    "evidence_toldfingerprint": Row(
        "Public takes it in and counts it.", public=KEEPS, worker=ERASES
    ),
    "evidence_origin": Row("How pictures were made, sealed; staff's.", worker=ERASES),
    "evidence_donor": Row(
        "Public takes pictures to compare with, and counts them.", public=KEEPS, desk=READS,
        worker=ERASES,
    ),
    "evidence_fingerprint": Row("Public joins it to exhibits.", public=READS, worker=ERASES),
    # --- matching
    "matching_platform": Row(
        "Public names who was asked. Match finds keys; secrets of webhooks are the worker's.",
        public=Right(read=all_but("webhook_secret", "previous_secret")),
        match=Right(read=only("id", "name", "base_url", "enabled")),
    ),
    "matching_apikey": Row("Match checks keys; public looks one up by a function.", match=READS),
    "matching_bank": Row(
        "Match follows banks, and makes them through HMA's API.",
        match=Right(read=ALL, add=ALL, change=all_but("id", "seq", "trusted", "flood")),
    ),
    "matching_source": Row("Match follows it.", match=READS),
    "matching_member": Row(
        "Match follows members, and keeps them through HMA's API. Public tells which report one is from.",
        public=Right(read=all_but("note", "metadata")),
        match=Right(
            read=all_but("exhibit_id"),
            add=all_but("exhibit_id", "case_number"),
            change=all_but("id", "seq", "bank_id", "exhibit_id", "case_number"),
        ),
    ),
    "matching_opinion": Row("Staff's judgements."),
    "matching_banksearch": Row("Banks to be looked for; a trigger writes it.", worker=ERASES),
    "matching_backsearch": Row("What is to be looked for; a trigger writes it."),
    "matching_surge": Row("Members that match far too much."),
    "matching_check": Row(
        "Match writes every question; public explains a refusal and counts.",
        public=READS,
        match=Right(read=ALL, add=ALL),
    ),
    "matching_hosted": Row(
        "Match registers what platforms host; public tells which was removed.",
        public=READS,
        match=Right(read=ALL, add=ALL, change=all_but("id", "seq", "platform_id", "content_id")),
    ),
    "matching_hit": Row("What a report met; staff's.", worker=ERASES),
    "matching_sighting": Row("What a member met; staff's."),
    # --- what AI services made
    "tracing_account": Row(
        "Public seals the account a service names, finds it by its digest, and never reads it.",
        public=Right(read=all_but("sealed"), add=ALL),
        worker=ERASES,
    ),
    "tracing_generation": Row(
        "Public writes down what a service made, and finds by its number what was told before.",
        public=Right(
            read=only(
                "id", "platform_id", "account_id", "produce_digest", "trace_id", "expires_at",
                "source_sha256",
            ),
            add=ALL,
        ),
        worker=ERASES,
    ),
    "tracing_likeness": Row(
        "Public writes down by what a record is found; who asks are staff.",
        public=Right(add=ALL),
        worker=ERASES,
    ),
    "tracing_erasure": Row("Public takes a service's wish to have an account erased.", public=KEEPS),
    "tracing_inquiry": Row("Who asked what made a file, and why; staff's.", worker=ERASES),
    "tracing_finding": Row("What was found; staff's.", worker=ERASES),
    "tracing_naming": Row("Who may be told which account it was; staff's.", worker=ERASES),
    # --- cases and what follows
    "cases_case": Row("Public tells how far a report is.", public=READS),
    "cases_grant": Row("Who may open which case; staff's.", worker=ERASES),
    "cases_look": Row("Who looked at which picture; staff's.", worker=ERASES),
    "cases_weight": Row("How the queue is ordered; staff's."),
    "cases_savedview": Row("Filters somebody keeps; staff's.", desk=ERASES),
    "cases_recusal": Row("Which cases somebody is not shown; staff's.", desk=ERASES),
    "cases_undoing": Row("Who set a case aside by mistake, and what was answered; staff's."),
    "cases_handover": Row("Notes between colleagues, sealed; staff's."),
    "cases_note": Row("Notes are added, never changed; staff's.", desk=KEEPS, worker=ERASES),
    "cases_erasurerequest": Row("Erasures that staff asked for.", worker=ERASES),
    "cases_package": Row("Evidence that went to police or a court; staff's.", worker=ERASES),
    "cases_clock": Row("Public shows clocks.", public=READS),
    "cases_rule": Row(
        "Public reckons with what was confirmed; who did, and why, is staff's. Added, never changed.",
        public=Right(read=all_but("reason", "made_by")),
        desk=KEEPS,
        worker=READS,
    ),
    "cases_decision": Row(
        "Public tells verdict and ground; why is staff's.",
        public=Right(read=all_but("reason_sealed", "said_sealed", "cited_sealed")),
    ),
    "cases_policy": Row("Public names a ground. Nothing of it is changed.", public=READS, desk=KEEPS, worker=READS),
    "cases_review": Row("Second looks; staff's."),
    "cases_opinion": Row(
        "What each person concluded; staff's. Only what was written goes, with its report.",
        desk=KEEPS, worker=Right(read=ALL, add=ALL, change=only("reason_sealed")),
    ),
    "cases_aside": Row("Who has seen a decision that is to be looked at blind; staff's."),
    "cases_sampling": Row("How many decisions are drawn; staff's.", desk=KEEPS, worker=READS),
    "cases_pause": Row(
        "Public tells that a case waits, and for whom in kind.", public=Right(read=all_but("sealed"))
    ),
    "cases_action": Row(
        "Public tells what a platform was asked and did.",
        public=Right(read=all_but("last_error", "given_up_sealed")),
    ),
    "cases_answer": Row("Public takes what a platform answers through the API.", public=KEEPS),
    "cases_trial": Row(
        "Public gives test messages to a platform that asks, and notes its answer.",
        public=Right(read=all_but("last_error"), change=only("done_at", "outcome", "reason")),
    ),
    "notices_recheck": Row(
        "Public tells what was seen at the last look.",
        public=Right(read=all_but("sealed", "warc_sealed", "warc_sha256")),
        worker=ERASES,
    ),
    "notices_receiver": Row("The directory of hosts."),
    "notices_notice": Row(
        "Public shows what was sent.", public=Right(read=all_but("last_error"))
    ),
    "notices_sender": Row(
        "Public finds who signed a notice, or whose key came with it.", public=READS
    ),
    "notices_incoming": Row(
        "Public and the mailbox take in what arrives, sealed; public tells its sender how far it is.",
        public=Right(read=all_but("raw"), add=ALL),
        mail=Right(add=ALL),
        worker=ERASES,
    ),
    "notices_incomingitem": Row(
        "Public tells the sender what became of each item.", public=READS, worker=ERASES
    ),
    "notices_incominganswer": Row("Receipts and answers; the worker's.", worker=ERASES),
    "notices_receiptcount": Row("How many receipts an address was sent today.", worker=ERASES),
    "notices_noticeitem": Row("Public tells what became of each place.", public=READS),
    "notices_attempt": Row("Proofs of delivery; staff's."),
    "notices_reply": Row("What hosts answer; staff's.", worker=ERASES),
    "notices_standing": Row("Public tells other Haechis the key.", public=READS),
    "appeals_appeal": Row("Public takes it in and shows the answer.", public=KEEPS),
    "transparency_statement": Row("Public shows the statement of reasons.", public=READS),
    # --- jobs: deferred through a function, which looks at who defers what (JOBS)
    "procrastinate_jobs": Row("Jobs.", desk=READS, worker=ERASES),
    "procrastinate_events": Row("Jobs.", desk=READS, worker=ERASES),
    "procrastinate_periodic_defers": Row("Jobs.", desk=READS, worker=ERASES),
    "procrastinate_workers": Row("Jobs.", desk=READS, worker=ERASES),
}  # fmt: skip

# Jobs that a process may ask for; desk and worker may ask for any.
JOBS: dict[str, tuple[str, ...]] = {
    "public": (
        "examine_report",
        "stamp_receipt",
        "complete_request",
        "take_answers",
        "wind_down",
        "finish_erasure",
        "take_notice",
    ),
    "match": (),
    "mail": ("take_notice",),
}

# Entries that audit_told() gives the public process, for the report whose reporter is there. No looks
# of staff, no exports: those may belong to an investigation.
TOLD: tuple[str, ...] = (
    "report:received",
    "report:handed_over",
    "report:places_added",
    "report:corrected",
    "report:withdrawn",
    "exhibit:sealed",
    "exhibit:stamped",
    "told:received",
    "case:opened",
    "case:decided",
    "case:reopened",
    "clock:started",
    "clock:stopped",
    "clock:missed",
    "action:asked",
    "action:done",
    "notice:queued",
    "notice:sent",
    "notice:withdrawn",
    "appeal:received",
    "appeal:answered",
)

# Drawn from without a table that draws by itself.
SEQUENCES: dict[str, tuple[str, ...]] = {
    "matching_seq": ("desk", "worker", "match"),
    "matching_check_id_seq": ("match",),
    "procrastinate_jobs_id_seq": ("worker",),
    "procrastinate_events_id_seq": ("worker",),
    "procrastinate_periodic_defers_id_seq": ("worker",),
    "procrastinate_workers_id_seq": ("worker",),
}

# By name: who may run it. Every other function of these families is its owner's alone, or runs inside
# triggers and functions of its owner.
FAMILIES = ("audit_", "matching_", "procrastinate_", "haechi_")
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "audit_record": ("public", "desk", "worker"),
    "audit_acting": ("desk", "worker", "match"),
    "audit_voice": PROCESSES,
    "matching_find_key": ("public", "desk", "worker"),
    "audit_told": ("public", "desk", "worker"),
    "procrastinate_defer_jobs_v1": ("public", "desk", "worker", "mail"),
    "procrastinate_defer_periodic_job_v2": ("worker",),
    "procrastinate_fetch_job_v2": ("worker",),
    "procrastinate_finish_job_v1": ("worker",),
    "procrastinate_cancel_job_v1": ("worker",),
    "procrastinate_retry_job_v1": ("worker",),
    "procrastinate_retry_job_v2": ("worker",),
    "procrastinate_register_worker_v1": ("worker",),
    "procrastinate_unregister_worker_v1": ("worker",),
    "procrastinate_update_heartbeat_v1": ("worker",),
    "procrastinate_prune_stalled_workers_v1": ("worker",),
}  # fmt: skip
# These run as their owner, so that who may call them needs no right to the tables behind.
AS_OWNER = ("procrastinate_defer_jobs_v1", "matching_find_key")
