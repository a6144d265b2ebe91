"""Stand-ins for extensions that hosted projects have and our Postgres lacks; the real one wins where it is there."""
