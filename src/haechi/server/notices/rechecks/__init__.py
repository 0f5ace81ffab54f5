"""Whether a place outside still shows the picture: looked at again after somebody was asked.

Off unless HAECHI_RECHECKS=1: it makes requests to others' servers (docs/rechecks.md).
"""
