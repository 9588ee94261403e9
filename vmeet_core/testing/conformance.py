"""Abstract test classes: a plugin's author subclasses one, names the provider, and pytest runs every check."""

from typing import Any, ClassVar

from vmeet_core.hookspecs import Host, Provider
from vmeet_core.testing.check import Check, Subject, local_host
from vmeet_core.testing.denoiser_checks import DENOISER_CHECKS
from vmeet_core.testing.frame_filter_checks import FRAME_FILTER_CHECKS
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS
from vmeet_core.testing.transcriber_checks import TRANSCRIBER_CHECKS


class Conformance:
    """What the classes below share: subclass one of those."""

    checks: ClassVar[tuple[Check, ...]] = PROVIDER_CHECKS
    _subject: ClassVar[Subject | None] = None

    @classmethod
    def provider(cls) -> Provider[Any]:
        """The provider under test."""
        raise TypeError(f"{cls.__name__} must define the class method provider()")

    @classmethod
    def host(cls) -> Host:
        """The machine it is given; ``local_host(store.path)`` for a provider with weights."""
        return local_host()

    @classmethod
    def subject(cls) -> Subject:
        """The provider with its host; override to test other server settings."""
        return Subject(cls.provider(), cls.host())

    @classmethod
    def teardown_class(cls) -> None:
        if cls._subject is not None:
            cls._subject.close()
            cls._subject = None

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each check."""
        if "check" in metafunc.fixturenames:
            metafunc.parametrize("check", self.checks, ids=[check.name for check in self.checks])

    def test_conforms(self, check: Check) -> None:
        if self._subject is None:
            type(self)._subject = self.subject()
        assert self._subject is not None
        check.run(self._subject)


class DenoiserConformance(Conformance):
    """Subclass as ``class TestMine(DenoiserConformance)`` and write ``provider``, and ``host`` if it has weights.

    Both are called when the first check runs, after the fixtures of the test.
    """

    checks = DENOISER_CHECKS


class FrameFilterConformance(Conformance):
    """The same for a frame filter."""

    checks = FRAME_FILTER_CHECKS


class TranscriberConformance(Conformance):
    """The same for a transcriber.

    Where the model hears nothing in made-up speech, override ``subject`` to give it real speech, or much is checked of
    empty lists: ``Subject(cls.provider(), cls.host(), speech=...)``.
    """

    checks = TRANSCRIBER_CHECKS
