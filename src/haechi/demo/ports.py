"""Where everything listens: five ports in a row, and the sink a little further."""

from dataclasses import dataclass
from typing import Self

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """Loopback ports of the demo. `from_base(8410)` gives 8410 to 8413 and 8425."""

    public: int
    desk: int
    match: int
    board: int
    mail: int

    @classmethod
    def from_base(cls, base: int) -> Self:
        """`base`, the three after it, and `base` + 15 for mail."""
        return cls(base, base + 1, base + 2, base + 3, base + 15)

    def named(self) -> dict[str, int]:
        """Who listens where."""
        return {
            "public site": self.public,
            "desk": self.desk,
            "match service": self.match,
            "board": self.board,
            "mail sink": self.mail,
        }

    def url(self, port: int) -> str:
        """The web address of one of them."""
        return f"http://{HOST}:{port}"
