"""The API of Meta's Hasher-Matcher-Actioner, so that its clients switch by changing an address.

Paths, shapes and status codes are HMA's; docs/hma.md says what differs. `routes` is the list of
them; `hashing`, `matching`, `curation` and `types` answer, in HMA's own division; `upload` reads
files and `signals` hashes; `banks` writes; `answers` holds what all of them share.
"""
