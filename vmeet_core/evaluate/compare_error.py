"""The error that ends a bake-off."""


class CompareError(Exception):
    """A bake-off that cannot be held: the text says what is wrong, where, and what helps."""
