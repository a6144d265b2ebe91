"""Live changes: a connection, and feeds that make of its events what a consumer can rely on."""
