"""The environment, read once and checked: every variable Haechi's server knows is named here."""

import hmac
import os
import re
import shlex
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, Self

from django.core.exceptions import ImproperlyConfigured

from haechi import law
from haechi.errors import KeyMissing, PolicyRefused, UnknownRule
from haechi.index import DEFAULT, Policy, policy_file

type Surface = Literal["public", "desk", "worker"]

MAIL_FROM = "notices@haechi.invalid"
HEX_KEY = re.compile(r"[0-9a-f]{64}\Z")
BUCKET = re.compile(r"s3://[A-Za-z0-9._-]+(/[A-Za-z0-9._/-]*)?\Z")


@dataclass(frozen=True)
class Environment:
    """What this process was told.

    home             data folder: blobs, embedded database, key files
    blobs            s3://bucket/prefix, or "" for the folder `blobs` in the home
    blobs_endpoint   address of the S3-compatible service, None for Amazon's
    database_url     PostgreSQL; empty means the embedded one in `home`
    surface          which entry point this process is; public never holds the vault identity
    secret_key       Django's key for signing, in the public process
    pepper_lookup, pepper_unlock, digest_key   32 bytes as 64 hex digits, all different (B03)
    vault_recipients age recipients of the vault ("age1..."), each of which opens every report
    vault_identity_file, signing_key_file      paths, or None where this process has no such key
    vault_identity_command    program and arguments that print the vault identity, or None
    vault_passphrase_file     path of the passphrase that guards it, or None
    tsa_url          time stamp authority (RFC 3161), or None: then nothing is stamped
    log_mail         address of the second party that every checkpoint of the log goes to, or None
    desk_secret_file secret key of desk, worker and command line; public is never given it
    forensics        pictures are examined for how they were made (docs/case-page.md); on unless told
    rechecks         places outside are looked at again (docs/rechecks.md); off unless told
    recheck_robots   a site's robots.txt is obeyed then; recheck_allow: inner networks looked at too
    limit_factor     widens the limits of the public site (B30), where all come by one address
    mail_from        sender of takedown notices
    news_from        sender of the e-mail without content that a reporter may ask for; it should say
                     nothing; without a setting "info" at the domain of mail_from
    bound            what the operator is in the eyes of the law, in words of law.ROLES (HAECHI_BOUND)
    alert_mail       who is told by mail that a deadline was missed; "" for nobody (HAECHI_ALERT_MAIL)
    mail_relay       name under which our own mail relay writes Authentication-Results (authserv-id); ""
                     believes none, and DKIM is checked here
    mailbox_domains  domains that `haechi mailbox` takes mail for; without a setting that of mail_from
    rdap_url         where the abuse mailbox of a hosting company or registrar is asked for
                     ("https://rdap.org"), or "": nobody is asked
    dkim_key_file    private key (PEM, RSA) that e-mail is signed with, or None; dkim_selector is
                     its name in the DNS of mail_from's domain
    c2pa_anchors     certificates (PEM) whose Content Credentials count as trusted, or None: then none is
    policy           the usual thresholds (index.policy_file), as in the match service
    trusted_proxies  networks whose X-Forwarded-For is believed; none unless told
    watermark_key    32 bytes; who has it can find and forge our watermark. Without HAECHI_WATERMARK_KEY
                     one that follows from the digest key
    c2pa_chain_file, c2pa_key_file   PEM: certificates and key that sign C2PA on what services have
                     labelled here; without them nothing is signed
    trace_days       how long the register keeps what AI services made (HAECHI_TRACE_DAYS)
    """

    home: Path
    blobs: str
    blobs_endpoint: str | None
    tsa_url: str | None
    log_mail: str | None
    database_url: str
    surface: Surface
    secret_key: str
    pepper_lookup: bytes
    pepper_unlock: bytes
    digest_key: bytes
    vault_recipients: tuple[str, ...]
    vault_identity_file: Path | None
    vault_identity_command: tuple[str, ...] | None
    vault_passphrase_file: Path | None
    signing_key_file: Path | None
    desk_secret_file: Path | None
    public_url: str
    desk_url: str
    match_url: str
    smtp_host: str
    smtp_port: int
    mail_from: str
    news_from: str
    mail_relay: str
    mailbox_domains: tuple[str, ...]
    rdap_url: str
    c2pa_anchors: str | None
    dkim_key_file: Path | None
    dkim_selector: str
    organisation: str
    jurisdictions: tuple[str, ...]
    bound: frozenset[str]
    alert_mail: str
    secure_cookies: bool
    limit_factor: float
    forensics: bool
    rechecks: bool
    recheck_robots: bool
    recheck_allow: tuple[IPv4Network | IPv6Network, ...]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    policy: Policy
    watermark_key: bytes
    c2pa_chain_file: Path | None
    c2pa_key_file: Path | None
    trace_days: int

    @classmethod
    def read(cls, environ: dict[str, str] | None = None) -> Self:
        """Read `environ` (default: the process's). Raises ImproperlyConfigured, naming the variable."""
        env = dict(os.environ) if environ is None else environ
        surface = env.get("HAECHI_SURFACE", "desk")
        if surface not in ("public", "desk", "worker"):
            raise ImproperlyConfigured("HAECHI_SURFACE is one of public, desk, worker")
        public_url = env.get("HAECHI_PUBLIC_URL", "http://127.0.0.1:8410").rstrip("/")
        return cls(
            home=Path(env.get("HAECHI_HOME", "~/.local/share/haechi")).expanduser(),
            blobs=_bucket(env),
            blobs_endpoint=env.get("HAECHI_BLOBS_ENDPOINT") or None,
            tsa_url=env.get("HAECHI_TSA_URL") or None,
            log_mail=env.get("HAECHI_LOG_MAIL") or None,
            database_url=env.get("HAECHI_DATABASE_URL", ""),
            surface=surface,  # type: ignore[arg-type]  # narrowed by the check above
            secret_key=_needed(env, "HAECHI_SECRET_KEY"),
            pepper_lookup=_key(env, "HAECHI_PEPPER_LOOKUP"),
            pepper_unlock=_key(env, "HAECHI_PEPPER_UNLOCK"),
            digest_key=_key(env, "HAECHI_DIGEST_KEY"),
            vault_recipients=_recipients(env),
            vault_identity_file=_path(env, "HAECHI_VAULT_IDENTITY_FILE"),
            vault_identity_command=_command(env, "HAECHI_VAULT_IDENTITY_COMMAND"),
            vault_passphrase_file=_credential(
                env, "HAECHI_VAULT_PASSPHRASE_FILE", "haechi-vault-passphrase"
            ),
            signing_key_file=_path(env, "HAECHI_SIGNING_KEY_FILE"),
            desk_secret_file=_path(env, "HAECHI_DESK_SECRET_FILE"),
            public_url=public_url,
            desk_url=env.get("HAECHI_DESK_URL", "http://127.0.0.1:8411").rstrip("/"),
            match_url=env.get("HAECHI_MATCH_URL", "http://127.0.0.1:8412").rstrip("/"),
            smtp_host=env.get("HAECHI_SMTP_HOST", "127.0.0.1"),
            smtp_port=int(env.get("HAECHI_SMTP_PORT", "25")),
            mail_from=env.get("HAECHI_MAIL_FROM", MAIL_FROM),
            news_from=env.get("HAECHI_NEWS_FROM") or _plain(env.get("HAECHI_MAIL_FROM", MAIL_FROM)),
            mail_relay=env.get("HAECHI_MAIL_RELAY", "").strip().lower(),
            mailbox_domains=_domains(env, "HAECHI_MAILBOX_DOMAINS"),
            rdap_url=env.get("HAECHI_RDAP_URL", ""),
            c2pa_anchors=_certificates(env, "HAECHI_C2PA_ANCHORS_FILE"),
            dkim_key_file=_path(env, "HAECHI_DKIM_KEY_FILE"),
            dkim_selector=env.get("HAECHI_DKIM_SELECTOR", "haechi"),
            organisation=env.get("HAECHI_ORGANISATION", "Haechi"),
            jurisdictions=_jurisdictions(env),
            bound=_bound(env),
            alert_mail=_address(env, "HAECHI_ALERT_MAIL"),
            secure_cookies=public_url.startswith("https://"),
            limit_factor=_factor(env, "HAECHI_LIMIT_FACTOR"),
            forensics=_yes(env, "HAECHI_FORENSICS", "1"),
            rechecks=_yes(env, "HAECHI_RECHECKS", "0"),
            recheck_robots=_yes(env, "HAECHI_RECHECK_ROBOTS", "1"),
            recheck_allow=_networks(env, "HAECHI_RECHECK_ALLOW"),
            trusted_proxies=_networks(env, "HAECHI_TRUSTED_PROXIES"),
            policy=_policy(env),
            watermark_key=_watermark_key(env),
            c2pa_chain_file=_path(env, "HAECHI_C2PA_CHAIN_FILE"),
            c2pa_key_file=_path(env, "HAECHI_C2PA_KEY_FILE"),
            trace_days=_days(env, "HAECHI_TRACE_DAYS", 365),
        )

    def desk_secret(self) -> str:
        """The desk's own secret, or "" where none was given. Raises ImproperlyConfigured."""
        if self.desk_secret_file is None:
            return ""
        try:
            secret = self.desk_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(f"HAECHI_DESK_SECRET_FILE: {error}") from error
        if not secret:
            raise ImproperlyConfigured("HAECHI_DESK_SECRET_FILE names an empty file")
        return secret

    def c2pa_chain(self) -> str | None:
        """The certificates of our own C2PA signer, PEM. Raises KeyMissing."""
        return _text(self.c2pa_chain_file)

    def c2pa_key(self) -> str | None:
        """Its key, PEM; in the public process, which labels what services send. Raises KeyMissing."""
        return _text(self.c2pa_key_file)


def _text(path: Path | None) -> str | None:
    try:
        return path.read_text(encoding="ascii") if path else None
    except (OSError, ValueError) as error:
        raise KeyMissing(f"{path} cannot be read") from error


def _plain(address: str) -> str:
    return f"info@{address.rpartition('@')[2]}"


def _domains(env: dict[str, str], name: str) -> tuple[str, ...]:
    """Names in lower case; by default the domain that notices go out from."""
    usual = env.get("HAECHI_MAIL_FROM", MAIL_FROM).rpartition("@")[2]
    return tuple((env.get(name) or usual).lower().replace(",", " ").split())


def _needed(env: dict[str, str], name: str) -> str:
    if not env.get(name):
        raise ImproperlyConfigured(
            f"{name} is not set; `haechi setup` makes the keys of a new home"
        )
    return env[name]


def _recipients(env: dict[str, str]) -> tuple[str, ...]:
    """HAECHI_VAULT_RECIPIENT, and those of HAECHI_VAULT_RECIPIENTS, without doubles."""
    further = env.get("HAECHI_VAULT_RECIPIENTS", "").replace(",", " ").split()
    return tuple(dict.fromkeys([_needed(env, "HAECHI_VAULT_RECIPIENT"), *further]))


def _command(env: dict[str, str], name: str) -> tuple[str, ...] | None:
    try:
        return tuple(shlex.split(env.get(name, ""))) or None
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


def _credential(env: dict[str, str], name: str, credential: str) -> Path | None:
    """What `name` says, or the systemd credential of that name (LoadCredential=) where there is one."""
    told = _path(env, name)
    folder = env.get("CREDENTIALS_DIRECTORY")
    if told is None and folder and (Path(folder) / credential).is_file():
        return Path(folder) / credential
    return told


def _certificates(env: dict[str, str], name: str) -> str | None:
    """The text of the file that `name` tells, once it is seen to hold certificates."""
    told = _path(env, name)
    if told is None:
        return None
    try:
        text = told.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise ImproperlyConfigured(f"{name} holds no certificates (PEM)")
    return text


def _bucket(env: dict[str, str]) -> str:
    told = env.get("HAECHI_BLOBS", "")
    if told and not BUCKET.match(told):
        raise ImproperlyConfigured("HAECHI_BLOBS has the form s3://bucket/prefix")
    return told


def _jurisdictions(env: dict[str, str]) -> tuple[str, ...]:
    named = env.get("HAECHI_JURISDICTIONS", "").upper().replace(",", " ").split()
    for code in named:
        try:
            law.time_zone(code)
        except UnknownRule as error:
            raise ImproperlyConfigured(f"HAECHI_JURISDICTIONS: {error}") from error
    return tuple(dict.fromkeys(named))


def _bound(env: dict[str, str]) -> frozenset[str]:
    """HAECHI_BOUND: a platform unless told; "none" for a hotline, which no deadline binds."""
    named = frozenset(env.get("HAECHI_BOUND", "platform").replace(",", " ").split()) - {"none"}
    if unknown := named - set(law.ROLES):
        raise ImproperlyConfigured(
            f"HAECHI_BOUND: {', '.join(sorted(unknown))} is none of {', '.join(law.ROLES)}"
        )
    return named


def _address(env: dict[str, str], name: str) -> str:
    told = env.get(name, "").strip()
    if told and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", told):
        raise ImproperlyConfigured(f"{name} is one e-mail address")
    return told


def _key(env: dict[str, str], name: str) -> bytes:
    text = _needed(env, name)
    if not HEX_KEY.match(text):
        raise ImproperlyConfigured(f"{name} must be 32 bytes written as 64 lower-case hex digits")
    return bytes.fromhex(text)


def _watermark_key(env: dict[str, str]) -> bytes:
    if env.get("HAECHI_WATERMARK_KEY"):
        return _key(env, "HAECHI_WATERMARK_KEY")
    return hmac.digest(_key(env, "HAECHI_DIGEST_KEY"), b"haechi watermark", "sha256")


def _days(env: dict[str, str], name: str, usual: int) -> int:
    text = env.get(name) or str(usual)
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII):
        raise ImproperlyConfigured(f"{name} is a whole number of days, above 0")
    return int(text)


def _policy(env: dict[str, str]) -> Policy:
    named = env.get(policy_file.VARIABLE, "")
    try:
        return policy_file.calibrated(named) if named else DEFAULT
    except PolicyRefused as error:
        raise ImproperlyConfigured(f"{policy_file.VARIABLE} is not fit: {error}") from error


def _path(env: dict[str, str], name: str) -> Path | None:
    return Path(env[name]).expanduser() if env.get(name) else None


def _factor(env: dict[str, str], name: str) -> float:
    text = env.get(name) or "1"
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text, re.ASCII) or not float(text):
        raise ImproperlyConfigured(f"{name} is a number above 0")
    return float(text)


def _yes(env: dict[str, str], name: str, usual: str) -> bool:
    text = env.get(name) or usual
    if text not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} is 0 or 1")
    return text == "1"


def _networks(env: dict[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(
            ip_network(part.strip()) for part in env.get(name, "").split(",") if part.strip()
        )
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is a list of networks with commas: {error}") from error
