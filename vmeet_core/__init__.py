"""VMeet: a self-hosted video-meeting server whose media abilities are plugins."""

__version__ = "0.1.0"
