"""Frames: worker processes that decode, filter and encode what people are allowed to see."""
