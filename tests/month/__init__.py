"""A month on a clock of its own: what is promised about time, mail and numbers, all at once.

`python -m tests.month --cases 20000` runs it whole; tests/flow/test_month.py runs a small week of it.
Everything is the real thing except time: services, jobs and their retries, PostgreSQL, a mail server
and a platform that answer over sockets. The clock and the worker are here (clock.py, worker.py), for no
worker can be asked to wait a month; that the real one loses nothing when it is killed is shown by the
tests that kill it.
"""
