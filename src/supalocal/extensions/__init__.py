"""Stand-ins for extensions that our Postgres lacks, and what lets `postgres` create those that it has."""
