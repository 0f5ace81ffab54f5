"""The question every upload asks: is this a picture that somebody had taken down?

An ASGI service without Django, run by Granian as `haechi.match_service.asgi:app`. `app` has the
routes; `mirror` and `follow` keep the confirmed bank members in memory; `decide` turns hits into
publish, review or block; `store` writes what must outlive the process before anything is answered.
`hma` answers clients of Meta's Hasher-Matcher-Actioner.
"""
