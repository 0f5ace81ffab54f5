"""Pages without login. No session, no address in a log, no cookie that can be avoided."""
