"""Between matching and cases: what AI services told us they made, and who may ask which account made it."""
