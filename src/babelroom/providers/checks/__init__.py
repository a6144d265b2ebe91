"""Checks: whether a model gave what it was asked for, by rules over words and numbers that a sentence explains."""
