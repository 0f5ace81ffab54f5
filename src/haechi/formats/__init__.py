"""Wire formats: XARF notices, statements of reasons, signed webhooks.

- xarf: takedown notices to hosts, XARF version 4, and the e-mail that carries them
- statement: statements of reasons for the DSA Transparency Database
- webhook: signed messages between Haechi and a platform (Standard Webhooks)
"""

from haechi.formats import statement, webhook, xarf

__all__ = ["statement", "webhook", "xarf"]
