"""One spelling for rooms, messages and accounts of messengers and networks.

People copy the same room as "telegram.me/Name", "t.me/s/name" or "tg://resolve?domain=name". Names
of accounts and rooms do not distinguish capitals on these services, invitations do.
"""

import re
from urllib.parse import parse_qs, unquote, urlsplit

TELEGRAM, DISCORD, KAKAO, LINE = "t.me", "discord.com", "open.kakao.com", "line.me"
INSTAGRAM, X = "instagram.com", "x.com"

_HOSTS = {
    "telegram.me": TELEGRAM,
    "telegram.dog": TELEGRAM,
    "www.t.me": TELEGRAM,
    "discordapp.com": DISCORD,
    "www.discord.com": DISCORD,
    "ptb.discord.com": DISCORD,
    "canary.discord.com": DISCORD,
    "www.instagram.com": INSTAGRAM,
    "m.instagram.com": INSTAGRAM,
    "instagr.am": INSTAGRAM,
    "twitter.com": X,
    "www.twitter.com": X,
    "mobile.twitter.com": X,
    "www.x.com": X,
    "mobile.x.com": X,
}
# Services whose addresses begin with a name in which capitals do not count.
_NAMES_FOLD = {TELEGRAM, INSTAGRAM, X}
# First parts of a path that are no name of an account.
_NO_NAME = {"c", "joinchat", "addlist", "p", "reel", "reels", "stories", "i", "explore", "share"}

_SUPERGROUP = re.compile(r"-100(\d{5,15})(?:[/_ ]+(\d{1,12}))?")
_SAID = re.compile(r"(\w+)\s*(?:[:：]\s*@?|@)([A-Za-z0-9_.]{2,32})")  # noqa: RUF001
_SERVICES = {
    **dict.fromkeys(("instagram", "insta", "ig", "인스타", "인스타그램"), INSTAGRAM),
    **dict.fromkeys(("twitter", "x", "트위터", "엑스", "推特"), X),
    **dict.fromkeys(("telegram", "tg", "텔레그램", "텔레", "电报", "纸飞机"), TELEGRAM),
}


def address_of(text: str) -> str:
    """The web address of a room or account that is written in another way, or `text` as it is.

    Knows tg: links, the long numbers of Telegram ("-1001234567890/55") and a service said before a
    name ("인스타: @name", "telegram @name"). Never raises.
    """
    if text[:3].lower() == "tg:":
        return _from_telegram_link(text) or text
    if number := _SUPERGROUP.fullmatch(text):
        return f"https://{TELEGRAM}/c/{'/'.join(part for part in number.groups() if part)}"
    said = _SAID.fullmatch(text)
    if said and (host := _SERVICES.get(said[1].casefold())):
        return f"https://{host}/{said[2]}"
    return text


def one_spelling(address: str) -> str:
    """The one spelling of a normalised https address; of any other service, as it is.

    Idempotent.
    """
    host, slash, rest = address.removeprefix("https://").partition("/")
    host = _HOSTS.get(host, host)
    if host not in {TELEGRAM, DISCORD, KAKAO, LINE, INSTAGRAM, X}:
        return address
    path = rest.partition("?")[0].rstrip("/")
    parts = path.split("/") if slash and path else []
    if host == TELEGRAM:
        parts = _telegram(parts)
    if host == DISCORD and len(parts) == 2 and parts[0] == "invite":
        return f"https://discord.gg/{parts[1]}"
    if parts and host in _NAMES_FOLD and parts[0] not in _NO_NAME and parts[0][:1] != "+":
        parts[0] = parts[0].lower()
    # What follows a question mark on these services says who shared the link, not what it shows.
    return "/".join(["https:/", host, *parts])


def _telegram(parts: list[str]) -> list[str]:
    if len(parts) > 1 and parts[0] == "s":
        parts = parts[1:]
    if len(parts) == 2 and parts[0] == "joinchat":
        return [f"+{parts[1]}"]
    if parts and parts[0].upper().startswith("%2B"):
        return [f"+{parts[0][3:]}", *parts[1:]]
    return parts


def _from_telegram_link(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
    except ValueError:
        return None
    action = (parts.netloc or parts.path.lstrip("/")).lower()
    post = [unquote(asked["post"])] if asked.get("post") else []
    if action == "resolve" and asked.get("domain"):
        return "/".join([f"https://{TELEGRAM}", asked["domain"], *post])
    if action == "join" and asked.get("invite"):
        return f"https://{TELEGRAM}/+{asked['invite']}"
    if action == "privatepost" and asked.get("channel"):
        return "/".join([f"https://{TELEGRAM}/c", asked["channel"], *post])
    return None
