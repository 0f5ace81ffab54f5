"""Ask addresses of the public Internet for others, without being a way into the inner network."""

from haechi.reach.addresses import Network
from haechi.reach.asking import Asker, Limits, Reply, resolved

__all__ = ["Asker", "Limits", "Network", "Reply", "resolved"]
