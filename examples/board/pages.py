"""What people see. Every value from outside goes through `h`."""

from datetime import UTC, datetime
from html import escape as h

from examples.board.store import Post

_STATEMENT = {
    "decision_facts": "What was found",
    "illegal_content_legal_ground": "The rule",
    "incompatible_content_ground": "The rule",
    "illegal_content_explanation": "Why the rule applies",
    "incompatible_content_explanation": "Why the rule applies",
}


def index(posts: list[Post]) -> str:
    """The newest posts with their pictures."""
    cards = "".join(
        f'<li><a class="card" href="/post/{h(post.id)}">{_picture(post)}'
        f"<span>{h(post.caption) or 'Untitled'}</span>{_mark(post)}<small>{h(post.account)}</small></a></li>"
        for post in posts
    )
    body = f'<ul class="grid">{cards}</ul>' if cards else '<p class="quiet">No pictures yet.</p>'
    return _page("Pictures", f"<h1>Pictures</h1>{body}")


def upload(problem: str = "") -> str:
    """The form, with what was wrong the last time."""
    note = f'<p class="note" role="alert">{h(problem)}</p>' if problem else ""
    return _page(
        "Add a picture",
        f"""<h1>Add a picture</h1>{note}
<form method="post" enctype="multipart/form-data" class="sheet">
<label for="file">Picture</label>
<input id="file" name="file" type="file" accept="image/*" required>
<label for="caption">Caption</label>
<input id="caption" name="caption" maxlength="200">
<label for="account">Your name here</label>
<input id="account" name="account" maxlength="60" required autocomplete="nickname">
<button>Publish</button>
<p class="quiet">Every picture is compared with a list of pictures that people had taken down.</p>
</form>""",
    )


def post(post: Post) -> str:
    """One post, whatever became of it."""
    if post.state == "held":
        return _held(post)
    if post.state == "refused":
        return _refused(post)
    if post.state in ("removed", "restricted"):
        return _taken_away(post)
    return _page(
        "Picture",
        f'<article class="single">{_picture(post)}<h1>{h(post.caption) or "Untitled"}</h1>{_mark(post)}'
        f'<p class="quiet">{h(post.account)}, {_day(post.created_at)}</p></article>',
    )


def message(title: str, words: str) -> str:
    """A page that says one thing."""
    return _page(title, f'<div class="sheet"><h1>{h(title)}</h1><p>{h(words)}</p></div>')


def _held(post: Post) -> str:
    words = post.why.get("words") or "It is being checked."
    return _page(
        "Not published yet",
        f'<div class="sheet"><h1>Not published yet</h1><p>{h(str(words))}</p>'
        "<p>Your picture is kept. You need not send it again; it goes on by itself.</p>"
        f'<p><a class="button" href="/post/{h(post.id)}">Look again</a></p>{_code(post)}</div>',
    )


def _refused(post: Post) -> str:
    return _page(
        "Not published",
        f'<div class="sheet"><h1>This picture was not published</h1><p>{_words(post)}</p>'
        f"{_appeal(post)}{_code(post)}</div>",
    )


def _taken_away(post: Post) -> str:
    removed = post.state == "removed"
    title = "This picture was removed" if removed else "This picture is not shown for now"
    since = f'<p class="quiet">On {_day(post.removed_at or 0)}</p>' if removed else ""
    statement = post.why.get("statement")
    rows = "".join(
        f"<dt>{label}</dt><dd>{h(str(statement[name]))}</dd>"
        for name, label in _STATEMENT.items()
        if isinstance(statement, dict) and statement.get(name)
    )
    details = f"<h2>Statement of reasons</h2><dl>{rows}</dl>" if rows else ""
    return _page(
        "Removed" if removed else "Not shown",
        f'<div class="sheet"><h1>{title}</h1>{since}'
        f"<p>{_words(post)}</p>{details}{_appeal(post)}{_code(post)}</div>",
    )


def _appeal(post: Post) -> str:
    url = post.why.get("appeal_url")
    # Only an address that opens a page: a link is clicked, whoever sent it.
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return ""
    return (
        "<p>If you think this is a mistake, you can have a person look at it again.</p>"
        f'<p><a class="button" href="{h(url)}" rel="noreferrer">Appeal</a></p>'
    )


def _words(post: Post) -> str:
    return h(str(post.why.get("words", "")))


def _code(post: Post) -> str:
    code = post.why.get("code")
    return f'<p class="quiet">Code: <code>{h(str(code))}</code></p>' if code else ""


def _mark(post: Post) -> str:
    return f'<b class="mark">{h(post.mark)}</b>' if post.mark else ""


def _picture(post: Post) -> str:
    return f'<img src="/picture/{h(post.id)}" alt="{h(post.caption) or "Picture"}" loading="lazy">'


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0")


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{h(title)} - Corkboard</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/board.css">
</head>
<body>
<header><a class="brand" href="/">Corkboard</a>
<nav><a class="button" href="/upload">Add a picture</a></nav></header>
<main>{body}</main>
<footer>A sample board that works with Haechi.</footer>
</body>
</html>"""
