"""Age envelopes: seal to a recipient, open with an identity.

An envelope is an age v1 file (https://age-encryption.org/v1): whoever holds the identity opens
it with the standard `age` command. Identities and recipients are plain text in age's own form,
"AGE-SECRET-KEY-1..." and "age1...". Plaintext stays in memory and never touches a disk.
"""

from haechi.seal import header
from haechi.seal.envelope import open_sealed, seal
from haechi.seal.keys import identity_from_key, new_identity, recipient_of
from haechi.seal.passphrase import guard, guarded, unguard
from haechi.seal.stream import OpenStream, StreamSealer, open_stream

__all__ = [
    "OpenStream",
    "StreamSealer",
    "guard",
    "guarded",
    "header",
    "identity_from_key",
    "new_identity",
    "open_sealed",
    "open_stream",
    "recipient_of",
    "seal",
    "unguard",
]
