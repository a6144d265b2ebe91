"""Names of tables, columns and functions; rows in, models out."""
