"""What findings mean, in English: one template for each code. The server translates the same texts."""

from collections.abc import Mapping

FINDINGS: Mapping[str, str] = {}
