"""Wire formats: notices between Haechis, XARF notices, statements of reasons, video hashes, signed webhooks.

- notice: what one Haechi says to another, signed with Ed25519
- xarf: takedown notices to hosts, XARF version 4, and the e-mail that carries them
- statement: statements of reasons for the DSA Transparency Database
- vpdq: hashed frames of videos, in both orders that go by that name
- webhook: signed messages between Haechi and a platform (Standard Webhooks)

Import each by its name. Nothing is loaded here: whoever reads hashes needs no notices, and what
validates notices takes longer to load than a picture takes to be hashed.
"""
