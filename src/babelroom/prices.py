"""What models cost: a dated table, which a user can replace."""
