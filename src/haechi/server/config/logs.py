"""Keep addresses of pages out of the log: some of them are secrets (B05)."""

import logging


class NoPaths(logging.Filter):
    """Drops what Django says about a request, and keeps the trace of what failed.

    What it says about a refused one (django.security) loses its trace too: that ends in a sentence
    which may quote the request. The logger's name tells what was wrong.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite records of django.request and django.security; let everything else pass."""
        if record.name.startswith("django.request"):
            status = getattr(record, "status_code", "")
            record.msg, record.args = "a request failed with %s", (status,)
            record.__dict__.pop("request", None)
        elif record.name.startswith("django.security"):
            record.msg, record.args = "a request was refused", ()
            record.exc_info = record.exc_text = None
            record.__dict__.pop("request", None)
        return True
