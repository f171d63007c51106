"""Stands for a training: only its name matters here."""

print("trained")
