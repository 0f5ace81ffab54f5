"""What may be typed after `haechi`. Imports nothing of Haechi, so that help is instant."""

import argparse
import math

DEFAULT_PORTS = {"public": 8410, "desk": 8411, "match": 8412}
DEFAULT_HOME = "$HAECHI_HOME, or ~/.local/share/haechi"


def parser() -> argparse.ArgumentParser:
    """The whole command line; `run` names the module and function behind each subcommand."""
    top = argparse.ArgumentParser(
        prog="haechi",
        description="Takes non-consensual deepfakes down and keeps them down.",
        epilog="hash, match, compare, inspect, label, live, models, calibrate and evaluate work on "
        "files alone, and `haechi demo` shows everything; most others want `haechi setup` first. "
        "exit codes: 0 done, 1 the answer is no, 2 wrong command line, 3 something outside is missing "
        "or refused; commands on files say 2 for an error with any file. Each says its own in its "
        "help; docs/commands.md",
    )
    commands = top.add_subparsers(required=True, metavar="command")
    _setup(commands)
    _servers(commands)
    _database(commands)
    _audit(commands)
    _vault(commands)
    _evidence(commands)
    _package(commands)
    _trace(commands)
    _keeping(commands)
    _people(commands)
    _words(commands)
    _demo(commands)
    _banks(commands)
    _pictures(commands)
    _live(commands)
    _inspecting(commands)
    return top


def _codes(no: str = "", *, error: str = "wrong command line") -> str:
    """What a command answers to the shell; with `no`, it can also answer that."""
    one = f"1 {no}, " if no else ""
    outside = "3 something outside is missing or refused"
    return f"exit codes: 0 done, {one}2 {error}, {outside}; 130 interrupted"


type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # no public name


def _add(
    commands: Commands,
    name: str,
    run: str,
    help_text: str,
    *,
    no: str = "",
    home: str = DEFAULT_HOME,
) -> argparse.ArgumentParser:
    """A command; `no` is what exit code 1 says, if it can say that."""
    made = commands.add_parser(name, help=help_text, description=help_text, epilog=_codes(no))
    made.add_argument("--home", help=f"data folder (default: {home})")
    made.set_defaults(run=run)
    return made


def _group(commands: Commands, name: str, help_text: str, epilog: str = "") -> Commands:
    """A command that has others below it."""
    told = epilog or "exit codes: the help of each of these says its own"
    made = commands.add_parser(name, help=help_text, description=help_text, epilog=told)
    return made.add_subparsers(required=True, metavar="command")


def _setup(commands: Commands) -> None:
    made = _add(commands, "setup", "setup:setup", "make keys, database, tables and translations")
    made.add_argument(
        "--jurisdictions",
        metavar="CODES",
        help="whose legal clocks run, for instance KR,US; needed once, kept in the home",
    )


def _servers(commands: Commands) -> None:
    for name, what in (
        ("public", "serve the public site"),
        ("desk", "serve the desk for staff"),
        ("match", "serve the match service for platforms"),
    ):
        typed = "match-service" if name == "match" else name
        made = _add(commands, typed, f"serving:{name}", what)
        made.add_argument(
            "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
        )
        made.add_argument(
            "--port", type=int, default=DEFAULT_PORTS[name], help="default: %(default)s"
        )
        if name == "match":
            _match_service(made)
    _add(commands, "worker", "worker:worker", "do what was put off: examine, deliver, watch clocks")
    made = _add(
        commands, "mailbox", "mailbox:mailbox", "take notices by mail, for the worker to read"
    )
    made.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    made.add_argument("--port", type=int, default=0, help="listen for SMTP here")
    made.add_argument("--lmtp-port", type=int, default=0, help="listen for LMTP here")
    made.add_argument("--lmtp-socket", default="", metavar="PATH", help="the same, a Unix socket")
    made.epilog = (
        "SMTP offers STARTTLS with HAECHI_MAILBOX_TLS_CERT_FILE and HAECHI_MAILBOX_TLS_KEY_FILE. "
        "With HAECHI_IMAP_URL and HAECHI_IMAP_PASSWORD_FILE it also looks into an IMAP mailbox. "
        f"docs/notices-in.md. {_codes()}"
    )


def _match_service(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--workers", type=int, default=1, help="processes that answer; each holds the banks"
    )
    made.add_argument(
        "--reload-wait",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="on SIGHUP, how long a new process may load before the old one stops (default 10)",
    )
    made.epilog = (
        "SIGHUP replaces each process by a new one and loses nothing under way. SIGTERM and Ctrl-C "
        f"take no new requests, answer those under way, and end. {_codes()}"
    )


def _live(commands: Commands) -> None:
    made = _add(
        commands,
        "live",
        "live:live",
        "watch a person in a camera, a call or a stream, and lead a challenge",
    )
    made.add_argument(
        "source",
        metavar="SOURCE",
        help="camera, camera:1, /dev/video0, screen, screen:X,Y,WIDTHxHEIGHT, "
        "an address (rtsp, http, https, udp) or a file",
    )
    made.add_argument(
        "--challenge", action="store_true", help="ask for things that are hard to fake, and measure"
    )
    made.add_argument("--seconds", type=_seconds, metavar="N", help="stop after so long")
    made.add_argument(
        "--step-seconds", type=_seconds, metavar="N", help="time for each step (default: 15)"
    )
    made.add_argument("--seed", type=int, help="the same order and digits again, for trying")
    made.add_argument("--json", action="store_true", help="one JSON object a line")
    made.epilog = (
        "It supports a person's judgement and decides nothing. "
        f"{_codes('a step of the challenge was not seen')}. docs/live.md"
    )


def _database(commands: Commands) -> None:
    below = _group(commands, "database", "the embedded PostgreSQL")
    _add(below, "start", "database:start", "start it unless it runs, and print its address")
    _add(below, "stop", "database:stop", "stop it")


def _audit(commands: Commands) -> None:
    below = _group(commands, "audit", "the tamper-evident log")
    made = _add(
        below,
        "verify",
        "audit:verify",
        "recompute the whole log, and name the entry where it is broken",
        no="the log is broken",
    )
    made.add_argument(
        "--note",
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint kept elsewhere (from the mail, or the public page); may be repeated",
    )
    _add(below, "checkpoint", "audit:checkpoint", "sign how long the log is and what it adds up to")


_CLOSED = "a report does not open"


def _vault(commands: Commands) -> None:
    below = _group(commands, "vault", "the keys that open every report")
    _add(below, "status", "vault:status", "what opens the vault", no="something is to do")
    made = _add(below, "protect", "vault:protect", "guard the identity file with a passphrase")
    made.add_argument(
        "--passphrase-file", help="its first line is the passphrase; else it is asked"
    )
    _add(
        below,
        "rotate",
        "vault:rotate",
        "make a new identity and seal every report to it",
        no=_CLOSED,
    )
    _add(
        below,
        "rewrap",
        "vault:rewrap",
        "seal what is not sealed to the recipients in force",
        no=_CLOSED,
    )
    made = _add(
        below,
        "retire",
        "vault:retire",
        "set older identities aside once not needed",
        no="one is still needed",
    )
    made.add_argument(
        "--except",
        dest="excepted",
        action="append",
        default=[],
        metavar="ID",
        help="a report that may stay closed, by the first digits of its number; may be repeated",
    )
    for name, what in (
        ("add-recipient", "seal every report to one more age recipient, kept off-line"),
        ("remove-recipient", "seal every report without it"),
    ):
        made = _add(below, name, f"vault:{name.replace('-', '_')}", what, no=_CLOSED)
        made.add_argument("recipient", metavar="AGE1...")


_CASE = "number of a case, or the first digits of a report's number (8 or more)"


def _evidence(commands: Commands) -> None:
    below = _group(commands, "evidence", "sealed files and what was done with them")
    made = _form(_add(below, "check", "evidence:check", "rows without files, files without rows"))
    made.epilog = (
        "exit codes: 0 nothing is wrong or all of it was removed, 1 something is, "
        "2 storage, key or installation is away; 130 interrupted. docs/vault.md"
    )
    made.add_argument("--quick", action="store_true", help="names and lengths only, no digests")
    made.add_argument(
        "--open", action="store_true", help="also open each file with the vault and digest it"
    )
    made.add_argument("--repair", action="store_true", help="remove files that belong to nothing")
    made.add_argument(
        "--older", type=int, default=24, metavar="HOURS", help="only such (default: %(default)s)"
    )
    made = _add(below, "verify", "evidence:verify", "check a package, and say what is wrong")
    made.epilog = (
        "exit codes: 0 as it was made, 1 it is not, 2 no package; 130 interrupted. docs/packages.md"
    )
    made.add_argument("folder", metavar="DIR")


def _trace(commands: Commands) -> None:
    made = _add(
        commands,
        "trace",
        "trace:trace",
        "which AI service that writes down here made a file, and with what; not for which account",
    )
    made.add_argument(
        "file", metavar="FILE", help="a picture, a video or a sound, or a copy of one"
    )
    made.add_argument(
        "--reason",
        required=True,
        metavar="TEXT",
        help="why you ask: kept, sealed; that you asked is in the log",
    )
    made.add_argument(
        "--purpose",
        choices=("case", "law", "service"),
        default="case",
        help="case: because of a case here; law: a law or a court asks, and what is found is held for "
        "three days; service: the service that may have made it asks (default: %(default)s)",
    )
    made.add_argument("--case", type=int, metavar="NUMBER", help="number of the case it is about")
    made.epilog = (
        "exit codes: 0 a record was found, 1 none, 2 wrong command line, 3 something outside is "
        "missing or refused, such as FILE or the installation; 130 interrupted. docs/trace.md"
    )
    made.add_argument("--json", action="store_true", help="one JSON document")


def _package(commands: Commands) -> None:
    made = _add(
        commands, "package", "package:package", "evidence for police or a court, or its receipt"
    )
    made.epilog = (
        f"{_codes('there is no such package, or its receipt is recorded')}. docs/packages.md"
    )
    made.add_argument(
        "case", metavar="CASE", help=f"{_CASE}; or `received`, to record that one arrived"
    )
    made.add_argument("number", nargs="?", metavar="NUMBER", help="of the package that arrived")
    made.add_argument(
        "--to", nargs="+", default=[], metavar="AGE1...", help="age recipients that can open it"
    )
    made.add_argument("--out", metavar="FILE", help="where it is written; must not be there yet")
    made.add_argument("--receiver", default="", metavar="OFFICE", help="who gets it")
    made.add_argument("--why", default="", metavar="TEXT", help="what it is for")
    made.add_argument("--authority", default="", metavar="TEXT", help="file number, order")
    made.add_argument(
        "--basis", default="", metavar="LAW", help="needed where a person under 18 is concerned"
    )
    made.add_argument("--receipt", default="", metavar="TEXT", help="who says it arrived, and how")


def _keeping(commands: Commands) -> None:
    below = _group(commands, "hold", "reports that an authority wants kept")
    made = _add(below, "place", "keeping:place", "nothing erases the report while it is in force")
    made.add_argument("case", metavar="CASE", help=_CASE)
    made.add_argument("--why", required=True)
    made.add_argument("--authority", required=True, help="who asked, and their reference")
    made.add_argument("--until", metavar="DATE", help="such as 2027-01-31; else until released")
    made = _add(below, "release", "keeping:release", "end a hold", no="there is no such hold")
    made.add_argument("number", type=int)
    made.add_argument("--why", required=True)
    _add(below, "list", "keeping:list_holds", "holds in force")

    made = _add(commands, "erase", "keeping:erase", "destroy the keys of a report, then the rest")
    made.add_argument("case", metavar="CASE", help=_CASE)
    made.add_argument("--reason", choices=("asked", "ordered"), required=True)

    below = _group(commands, "retention", "how long reports are kept")
    _add(below, "list", "keeping:list_periods", "the periods in force, with their reasons")
    made = _add(below, "set", "keeping:set_period", "change a period")
    made.add_argument("state", help="as `haechi retention list` names it")
    made.add_argument("days", help="a number, or: never")
    made.add_argument("--reason", required=True)


_PIPE = "read the password from a pipe"


def _people(commands: Commands) -> None:
    below = _group(commands, "staff", "people who work at the desk")
    add = _add(below, "add", "people:add_staff", "make an account with a second factor")
    add.add_argument("name")
    add.add_argument("--role", choices=("reviewer", "administrator"), default="reviewer")
    add.add_argument("--display-name", help="how colleagues see this person (default: the name)")
    add.add_argument("--password-stdin", action="store_true", help=_PIPE)
    _add(below, "list", "people:list_staff", "everybody with an account")
    for change, words in (
        ("password", "give a new password; ends every session"),
        ("role", "change what somebody may do; ends every session"),
        ("second-factor", "replace the second factor, shown once; ends every session"),
        ("disable", "let somebody in no more; ends every session"),
        ("enable", "let somebody in again"),
    ):
        changing = _add(below, change, "people:change_staff", words)
        changing.add_argument("name")
        changing.set_defaults(change=change)
        if change == "password":
            changing.add_argument("--password-stdin", action="store_true", help=_PIPE)
        if change == "role":
            changing.add_argument("role", choices=("reviewer", "administrator"))

    below = _group(commands, "platform", "platforms and AI services that ask here, and their keys")
    add = _add(below, "add", "people:add_platform", "register a platform and make its key")
    add.add_argument("name")
    add.add_argument("--base-url", required=True, help="where people see what it publishes")
    add.add_argument(
        "--webhook-url", default="", help="where orders are sent (default: it asks by itself)"
    )
    add.add_argument(
        "--may-curate", action="store_true", help="its key may change banks through HMA's API"
    )
    _reached(below)
    _keys(below)


def _reached(platform: Commands) -> None:
    _add(platform, "list", "platforms:list_platforms", "every platform, and what waits for it")
    change = _add(platform, "set", "platforms:change_platform", "change how a platform is reached")
    change.add_argument("name")
    change.add_argument(
        "--testing",
        action=argparse.BooleanOptionalAction,
        help="test mode: it may be sent test actions, beside real ones",
    )
    change.add_argument(
        "--enabled", action=argparse.BooleanOptionalAction, help="its keys are in force"
    )
    change.add_argument(
        "--webhook-url", help="where orders are sent; empty where it asks by itself"
    )
    rotate = _add(platform, "rotate", "platforms:rotate", "make another webhook secret, shown once")
    rotate.add_argument("name")
    rotate.add_argument(
        "--days",
        type=int,
        default=7,
        help="so long, messages are signed with the old one too (default: %(default)s)",
    )
    test = _add(platform, "test", "platforms:test_platform", "send one test message now")
    test.add_argument("name")
    test.add_argument("--type", choices=("ping", "remove", "restrict", "restore"), default="ping")
    test.add_argument("--content-id", default="", help="what a test action is about")


# As match_service/keys.py has them; a test compares the two.
_SCOPES = ("match", "register", "act", "curate", "staff-metadata", "metrics", "label")


def _keys(platform: Commands) -> None:
    below = _group(platform, "key", "keys of a platform")
    add = _add(below, "add", "keys:add_key", "make a key and show it once")
    add.add_argument("platform")
    add.add_argument("--name", default="", help="what it is for, such as: upload servers")
    add.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=_SCOPES,
        help="what it may do; may be repeated",
    )
    add.add_argument("--days", type=int, help="it expires after so many days (default: never)")
    show = _add(below, "list", "keys:list_keys", "the keys of a platform; none is shown itself")
    show.add_argument("platform")
    revoke = _add(below, "revoke", "keys:revoke_key", "stop a key, everywhere within a second")
    revoke.add_argument("number", type=int, help="as `haechi platform key list` shows it")


def _words(commands: Commands) -> None:
    below = _group(commands, "words", "the languages of the pages")
    _add(
        below,
        "compile",
        "words:compile_words",
        "compile the translations (.po to .mo)",
        no="a translation has a fault",
    )


def _demo(commands: Commands) -> None:
    demo = _add(
        commands,
        "demo",
        "demo:demo",
        "start everything on this machine and play the whole story",
        home=".haechi/demo, below this folder",
        no="the story was not as told",
    )
    demo.add_argument("--once", action="store_true", help="stop after the story")
    demo.add_argument("--reset", action="store_true", help="delete the demo's data first")
    demo.add_argument(
        "--kill",
        action="store_true",
        help="also kill every process twice in mid-work, and show that nothing is lost",
    )
    demo.add_argument(
        "--ports", type=int, default=8410, metavar="BASE", help="first of the ports (default 8410)"
    )


_HOW_TO_NAME_FILES = (
    "a file, a folder (all files below it), a pattern in quotes, or - for a list of paths on "
    "standard input, one a line"
)
_POLICY = "thresholds, as `haechi calibrate --write` makes them"
_MATCH_CODES = "exit codes, as grep's: 0 a match, 1 none, 2 an error with any file; 130 interrupted"


def _pictures(commands: Commands) -> None:
    made = _form(_add(commands, "hash", "hashing:hash_files", "digests and PDQ of files"))
    made.add_argument(
        "--vpdq",
        choices=["cpp", "python"],
        help="of videos also every hashed frame, in that order of vPDQ (not in CSV)",
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help=_HOW_TO_NAME_FILES)
    made.epilog = "exit codes: 0 done, 2 an error with any file; 130 interrupted"

    made = _form(
        _add(commands, "match", "matching:match_files", "which known pictures do files show?")
    )
    made.add_argument(
        "--against",
        action="append",
        required=True,
        metavar="KNOWN",
        help="known pictures and videos: a file, a folder, a pattern in quotes, or bank:NAME; may be repeated",
    )
    made.add_argument("--policy", metavar="FILE", help=_POLICY)
    made.add_argument("paths", nargs="+", metavar="PATH", help=_HOW_TO_NAME_FILES)
    made.epilog = f"{_MATCH_CODES}. The service for platforms is `haechi match-service`."

    made = _form(
        _add(
            commands,
            "compare",
            "comparing:compare_files",
            "compare two pictures or videos in every way",
        )
    )
    made.add_argument("a", metavar="A", help="the picture that is asked about")
    made.add_argument("b", metavar="B", help="the picture that is known")
    made.add_argument("--picture", metavar="OUT.png", help="draw both with what they share")
    made.epilog = _MATCH_CODES
    _labels(commands)
    _measures(commands)
    _models(commands)


def _labels(commands: Commands) -> None:
    made = _form(
        _add(
            commands,
            "label",
            "labelling:label_files",
            "write copies of files that say AI made them: seen or heard, and inside the file",
        )
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help=_HOW_TO_NAME_FILES)
    made.add_argument("--out", required=True, metavar="FOLDER", help="where labelled files go")
    made.add_argument(
        "--producer",
        required=True,
        help="name or code of the service that made or spreads them; no spaces, ASCII only",
    )
    made.add_argument("--id", metavar="NUMBER", help="its number for this content (default: made)")
    made.add_argument(
        "--level",
        choices=("is", "may-be", "suspected"),
        default="is",
        help="is: the service made it; may-be: a user says so; suspected: something looks so "
        "(default: %(default)s)",
    )
    made.add_argument(
        "--language",
        choices=("ko", "zh-hans", "en"),
        default="zh-hans",
        help="of what is seen and heard (default: %(default)s)",
    )
    made.add_argument(
        "--altered",
        action="store_true",
        help="something real, changed by a model (default: a model made all of it)",
    )
    made.add_argument(
        "--no-visible",
        action="store_true",
        help="no text on pictures, no spoken label before sound",
    )
    made.add_argument(
        "--again",
        action="store_true",
        help="draw, speak and watermark also where a label is already",
    )
    heard = made.add_mutually_exclusive_group()
    heard.add_argument(
        "--recording", metavar="FILE", help="said before sound, in place of ours; sound only"
    )
    heard.add_argument(
        "--rhythm", action="store_true", help="tones before sound, in place of words; sound only"
    )
    made.add_argument(
        "--trace-id",
        type=_trace_id,
        metavar="HEX",
        help="up to 12 hexadecimal digits, put into the invisible watermark and read again from what "
        "was written; its key is in HAECHI_WATERMARK_KEY (64 such digits)",
    )
    made.add_argument("--certificate", metavar="PEM", help="C2PA: the signer's and those above it")
    made.add_argument("--key", metavar="PEM", help="C2PA: the key of the first certificate")
    made.add_argument("--alg", default="es256", help="C2PA: as fits the key (default: %(default)s)")
    made.add_argument("--time-url", metavar="URL", help="C2PA: an RFC 3161 time-stamping authority")
    made.add_argument(
        "--try-certificate",
        metavar="FOLDER",
        help="C2PA: sign with a hierarchy made in FOLDER, which nobody trusts",
    )
    made.add_argument(
        "--drop-c2pa", action="store_true", help="unsigned: take out a manifest this would break"
    )
    made.add_argument(
        "--seconds", type=_seconds, default=600.0, help="one file may take so long (default 600)"
    )
    made.epilog = (
        "exit codes: 0 done, 1 a file does not bear the watermark that --trace-id asked for (it bears "
        "the other marks), 2 an error with any file; 130 interrupted. docs/labelling.md"
    )


def _inspecting(commands: Commands) -> None:
    made = _form(
        _add(
            commands,
            "inspect",
            "inspecting:inspect_files",
            "what files say about how they were made, and what an examination of pictures finds",
        ),
        json=True,
    )
    made.add_argument(
        "--marks",
        action="store_true",
        help="marks only; do not examine how pictures and videos look",
    )
    made.add_argument(
        "--models", metavar="IDS", help="ask only these of the models that are here (default: all)"
    )
    made.add_argument(
        "--anchors", metavar="FILE.pem", help="certificates whose C2PA signatures are trusted"
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help=_HOW_TO_NAME_FILES)
    made.epilog = (
        "exit codes, as grep's: 0 a mark in any file, 1 none, 2 an error with any file; "
        "130 interrupted. With HAECHI_WATERMARK_KEY (64 hexadecimal digits) our own invisible watermark "
        "is looked for too. docs/labels.md"
    )


_GATE_CODES = "exit codes: 0 done, 1 the release gate is not passed, 2 an error; 130 interrupted"
_MANIFEST = "CSV: path, label, source and more (docs/evaluate-detect.md)"


def _measures(commands: Commands) -> None:
    made = _form(
        _add(
            commands,
            "calibrate",
            "calibrating:calibrate_folder",
            "place the thresholds, from unrelated pictures",
        )
    )
    made.add_argument("folder", metavar="FOLDER", help="pictures that are unrelated to one another")
    made.add_argument(
        "--rate", type=_rate, default=1e-9, help="false matches a pair of pictures (default 1e-9)"
    )
    made.add_argument("--write", metavar="FILE", help="write the thresholds, for --policy")
    made.add_argument("--chart", metavar="FILE.svg", help="draw the tail and its fit")
    made.add_argument("--float", action="store_true", help="also measure what int8 embeddings lose")
    made.epilog = "exit codes: 0 done, 2 too few pictures or another error; 130 interrupted"

    below = _group(
        commands, "evaluate", "how many edited copies are found, and how well fakes are told"
    )
    made = _form(
        _add(below, "edits", "evaluating:evaluate_edits", "recall on edited copies of pictures")
    )
    made.add_argument("folder", metavar="DIR", help="pictures; every fourth is never known")
    made.add_argument("--pictures", type=int, metavar="N", help="take N of them (default: all)")
    made.add_argument(
        "--edits", metavar="NAMES", help="only these, such as jpeg,crop_30; a wrong name lists all"
    )
    made.add_argument("--seed", type=int, default=1, help="of every choice (default 1)")
    made.add_argument("--policy", metavar="FILE", help=_POLICY)
    made.add_argument("--chart", metavar="FILE.svg", help="draw recall by edit and fingerprint")
    made.epilog = "exit codes: 0 done, 2 too few pictures or another error; 130 interrupted"

    made = _form(
        _add(
            below,
            "detect",
            "detecting:evaluate_detect",
            "how well fakes are told from real pictures",
        )
    )
    made.add_argument("manifest", metavar="MANIFEST", help=_MANIFEST)
    made.add_argument("--models", metavar="IDS", help="also these models, one by one; or all")
    made.add_argument(
        "--no-fused", dest="fused", action="store_false", help="leave the fused answer out"
    )
    made.add_argument("--edits", metavar="NAMES", help="also after these edits; or all")
    made.add_argument(
        "--each", type=int, default=40, metavar="N", help="pictures of a class to edit (default 40)"
    )
    made.add_argument("--draws", type=int, default=1000, help="of sources, for intervals (1000)")
    made.add_argument("--seed", type=int, default=1, help="of edits (default 1)")
    made.add_argument("--card", metavar="FILE.html", help="write the card for people")
    made.add_argument("--json", metavar="FILE.json", help="write the card for the next --against")
    made.add_argument("--against", metavar="FILE.json", help="the last card: nothing may be worse")
    made.epilog = f"{_GATE_CODES}. docs/evaluate-detect.md"


_MODEL_CODES = "exit codes: 0 done, 2 an error; 130 interrupted. docs/models.md"
_MODEL = "as `haechi models list` names it"


def _models(commands: Commands) -> None:
    below = _group(
        commands,
        "models",
        "detectors that you bring, as ONNX",
        "exit codes: 0 done, 1 no model is here (list) or the release gate is not passed (evaluate), "
        "2 an error; 130 interrupted. docs/models.md",
    )
    made = _form(_add(below, "list", "detectors:list_models", "the models that are here"))
    made.epilog = "exit codes, as grep's: 0 done, 1 no model is here, 2 an error; 130 interrupted"
    made.add_argument(
        "--cards", action="store_true", help="the cards that come with Haechi instead"
    )
    made = _add(below, "card", "detectors:show_card", "print a card, as JSON")
    made.epilog = _MODEL_CODES
    made.add_argument(
        "model", metavar="ID", help="as `haechi models list`, with --cards or without, names it"
    )
    made = _add(below, "add", "detectors:add_model", "take an ONNX file, after its self-test")
    made.epilog = _MODEL_CODES
    made.add_argument("file", metavar="FILE", help="the model, as ONNX")
    made.add_argument("--card", required=True, help="a file, or the id of a card of Haechi")
    made.add_argument("--replace", action="store_true", help="in place of the one of that id")
    made = _add(below, "remove", "detectors:remove_model", "forget a model and its calibration")
    made.epilog = _MODEL_CODES
    made.add_argument("model", metavar="ID", help=_MODEL)
    made = _add(
        below,
        "calibrate",
        "detectors:calibrate_model",
        "measure, on your own pictures, what a score of it says",
    )
    made.epilog = _MODEL_CODES
    made.add_argument("model", metavar="ID", help=_MODEL)
    made.add_argument("manifest", metavar="MANIFEST", help=_MANIFEST)
    made.add_argument("--name", help="of the set, shown beside every ratio (default: the file's)")
    made.add_argument(
        "--despite-doubts", action="store_true", help="although the set has confounds"
    )
    made = _form(
        _add(
            below,
            "evaluate",
            "detecting:evaluate_detect",
            "as `haechi evaluate detect`, of one model",
        )
    )
    made.epilog = f"{_GATE_CODES}. docs/models.md"
    made.add_argument("models", metavar="ID", help=_MODEL)
    made.add_argument("manifest", metavar="MANIFEST", help=_MANIFEST)
    made.add_argument("--card", metavar="FILE.html", help="write the card for people")
    made.add_argument("--json", metavar="FILE.json", help="write the card for the next --against")
    made.set_defaults(fused=False, edits=None, each=40, draws=1000, seed=1, against=None)


def _seconds(typed: str) -> float:
    """A length of time. Raises ValueError for what is none."""
    told = float(typed)
    if not 0 < told < math.inf:
        raise ValueError(typed)
    return told


def _trace_id(typed: str) -> int:
    """What a watermark carries, with the zeros before it or without."""
    # Loaded only where one is typed: help stays instant.
    from haechi.labels.watermark import payload_of

    try:
        return payload_of(typed)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{typed!a} is not 1 to 12 hexadecimal digits") from None


def _rate(typed: str) -> float:
    rate = float(typed)
    if not 0 < rate < 1:
        raise argparse.ArgumentTypeError("between 0 and 1, such as 1e-9")
    return rate


_BANK_CODES = (
    "exit codes, as grep's: 0 done, 1 nothing was there or nothing changed, 2 an error, "
    "3 the installation cannot be reached; 130 interrupted. docs/commands.md"
)
_BANK_POLICIES = ("block", "review", "record", "benign")


def _banks(commands: Commands) -> None:
    below = _group(commands, "bank", "banks of known pictures, and what is in them", _BANK_CODES)

    def command(name: str, function: str, help_text: str) -> argparse.ArgumentParser:
        made = _add(below, name, f"banks:{function}", help_text)
        made.epilog = _BANK_CODES
        return made

    _form(command("list", "list_banks", "every bank with its settings"))
    made = _form(command("show", "show_bank", "the members of a bank"))
    made.add_argument("bank", metavar="BANK")
    made.add_argument("--status", choices=("pending", "confirmed", "withdrawn", "held"))

    made = command("make", "make_bank", "make a bank")
    made.add_argument("bank", metavar="BANK")
    made.add_argument("--policy", choices=_BANK_POLICIES, default="review")

    made = command("set", "set_bank", "change a bank's settings, or what it thinks of a source")
    made.add_argument("bank", metavar="BANK")
    made.add_argument("--reason", required=True, help="kept in the audit log")
    made.add_argument("--source", help="change this source of the bank in place of the bank")
    made.add_argument("--policy", choices=_BANK_POLICIES)
    made.add_argument("--trusted", choices=("yes", "no"), help="pending members count as confirmed")
    made.add_argument(
        "--threshold",
        action="append",
        metavar="NAME=VALUE",
        help="may be repeated; NAME= takes it back",
    )
    made.add_argument(
        "--flood", action="append", metavar="NAME=VALUE", help="count, times or window_s"
    )

    for name, words in (("enable", "let a bank match"), ("disable", "let a bank match nothing")):
        made = command(name, f"{name}_bank", words)
        made.add_argument("bank", metavar="BANK")
        made.add_argument("--reason", required=True, help="kept in the audit log")

    made = _form(command("add", "add_files", "list files in a bank"))
    made.add_argument("bank", metavar="BANK")
    made.add_argument("paths", nargs="+", metavar="PATH", help=_HOW_TO_NAME_FILES)
    made.add_argument("--source", default="operator", help="who says so (default: operator)")
    made.add_argument("--note", default="")
    made.add_argument("--expires", metavar="DATE", help="matches nothing from then on (ISO 8601)")
    made.add_argument(
        "--confirmed", action="store_true", help="a person has seen them: in force at once"
    )

    made = command("import", "import_list", "list the hashes of a CSV in a bank, pending")
    made.add_argument("bank", metavar="BANK")
    made.add_argument(
        "file", metavar="FILE", help="signal_type,signal_str,collab,category,tags; or -"
    )
    made.add_argument("--collab", help="the source, in place of the column")
    made.add_argument(
        "--skip-malformed", action="store_true", help="import the good lines although some are not"
    )
    made = command("export", "export_list", "print a bank as such a CSV")
    made.add_argument("bank", metavar="BANK")
    made = command("feedback", "feedback_list", "print opinions on members, for their source")
    made.add_argument("bank", metavar="BANK")
    made.add_argument("--source", help="only for this source")

    for name, words in (
        ("confirm", "a person has seen them: they are in force"),
        ("withdraw", "wrongly listed: they match nothing"),
        ("dispute", "in doubt: a person looks at each match"),
        ("hold", "a person looks at each match for now"),
        ("release", "they are held no more"),
    ):
        made = _form(command(name, f"{name}_members", words))
        made.add_argument(
            "members",
            nargs="+",
            metavar="MEMBER",
            help="a number, or - for a list on standard input",
        )
        made.add_argument("--note", default="", help="kept with the opinion and in the audit log")

    made = _form(command("expire", "expire_members", "set or take back the end of members"))
    made.add_argument("members", nargs="+", metavar="MEMBER", help="a number, or - as above")
    end = made.add_mutually_exclusive_group(required=True)
    end.add_argument("--at", metavar="DATE", help="they match nothing from then on (ISO 8601)")
    end.add_argument("--never", action="store_true", help="they have no end")
    made.add_argument("--note", default="", help="kept in the audit log")


def _form(made: argparse.ArgumentParser, *, json: bool = False) -> argparse.ArgumentParser:
    """How a command answers; with `json`, --json is another word for --jsonl."""
    forms = made.add_mutually_exclusive_group()
    if json:
        forms.add_argument(
            "--json", action="store_const", const="jsonl", dest="form", help="the same as --jsonl"
        )
    for form, what in (("jsonl", "JSON lines"), ("csv", "CSV")):
        forms.add_argument(
            f"--{form}",
            action="store_const",
            const=form,
            dest="form",
            default="table",
            help=f"print {what} instead of a table",
        )
    return made
