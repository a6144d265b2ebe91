"""What the pytest plugin stands on: clients of every role, and a database put back to what it was."""
