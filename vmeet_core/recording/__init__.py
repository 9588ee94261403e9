"""Tracks to Matroska segments as they come, with a journal; nothing here runs on the event loop but queueing."""
