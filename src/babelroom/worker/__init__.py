"""The worker: empties the queue of messages that wait for their translation."""
