"""A Postgres server of our own: where its programs are, its process, its temporary directory, its end with ours."""
