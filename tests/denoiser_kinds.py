"""What the plugins with fake denoisers have in common."""

#: Comes after a class ``Stream(options, kind)``, one ``FakeOptions`` and a tuple ``KINDS``: a provider for each kind.
PROVIDERS = """
from vmeet_core.hookspecs import Denoiser, DenoiserProvider, hookimpl

class Engine(Denoiser):
    sample_rate_hz, block_samples, latency_samples = 16_000, 128, 0
    def __init__(self, kind):
        self.kind = kind
    def open(self, options):
        return Stream(options, self.kind)

class Fake(DenoiserProvider):
    api, title, licence, version, options = 1, "Fake", "MIT", "1", FakeOptions
    def __init__(self, name):
        self.name = name
    def load(self, server_settings, host):
        return Engine(self.name)

@hookimpl
def register_denoisers():
    return [Fake(name) for name in KINDS]
"""
