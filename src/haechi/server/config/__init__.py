"""Settings, keys, addresses and entry points of the two Django surfaces."""
