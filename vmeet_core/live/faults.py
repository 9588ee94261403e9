"""What a plugin does wrong while it works on a track."""


class FilterFault(Exception):
    """A filter or denoiser raised, or gave something that does not fit: ``filter`` says which."""

    def __init__(self, filter_name: str, text: str) -> None:
        super().__init__(f"{filter_name}: {text}")
        self.filter = filter_name
