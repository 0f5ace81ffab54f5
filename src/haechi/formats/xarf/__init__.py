"""Takedown notices to hosts: XARF version 4, and the e-mail that carries one.

A notice names the place and gives digests. It never carries a picture, a thumbnail or a
screenshot, not even as evidence: whoever handles the notice need not see the content.
"""

from haechi.formats.xarf.document import Contact, notice, validate, web_address
from haechi.formats.xarf.mail import email, read_email

__all__ = ["Contact", "email", "notice", "read_email", "validate", "web_address"]
