"""Stage 7: appeals by the account whose upload was refused or removed."""
