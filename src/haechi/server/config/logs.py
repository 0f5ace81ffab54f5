"""Keep addresses of pages out of the log: some of them are secrets (B05)."""

import logging


class NoPaths(logging.Filter):
    """Drops what Django says about a request, and keeps the trace of what failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite records of django.request; let everything else pass."""
        if record.name.startswith("django.request"):
            status = getattr(record, "status_code", "")
            record.msg, record.args = "a request failed with %s", (status,)
            record.__dict__.pop("request", None)
        return True
