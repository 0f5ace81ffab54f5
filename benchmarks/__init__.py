"""Haechi beside its peers on one machine, in one run: `make bench`.

Every module here has a function `measure() -> list[Row]`. Nothing asserts a time: machines are
noisy, so each row says what was measured, beside what, and what bounds it.
"""

import os

# One core each, ours and theirs; read when NumPy and the peers are first imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
