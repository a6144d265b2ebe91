"""The demo: two speakers, a conversation, and proof that each word arrived."""
