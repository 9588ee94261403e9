"""Helpers on arrays and files that keep no state of their own: sound, pictures, containers."""
