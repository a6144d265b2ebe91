"""The rules, one class each, by the founding spec's names."""
