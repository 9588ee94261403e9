"""Whether a person may be recorded: pure state, no input or output. On any doubt the answer is no."""

from dataclasses import dataclass

from vmeet_core.manifest import LeftOutBy
from vmeet_core.settings import RecordingChoice


@dataclass
class Consent:
    """``rule`` is the meeting's; ``answer`` what the person says, None when they have not been asked or do not say.

    ``kept_out`` is the host's word; ``told`` is False while a recording runs of which the person does not know yet.
    """

    rule: RecordingChoice = "everyone"
    answer: bool | None = None
    kept_out: bool = False
    told: bool = True

    @property
    def may_choose(self) -> bool:
        """Whether it is for the person to say."""
        return self.rule != "everyone"

    @property
    def left_out(self) -> LeftOutBy | None:
        """Who keeps this person out of the recording; None when they may be recorded."""
        if self.kept_out:
            return "host"
        if self.may_choose and self.answer is False:
            return "self"
        if not self.told or (self.rule == "opt-in" and self.answer is None):
            return "unanswered"
        return None

    def choose(self, recorded: bool) -> None:
        """The person's own word, from now on; whoever answers has been told."""
        self.answer, self.told = recorded, True

    def keep_out(self, kept_out: bool) -> None:
        """The host's word, which goes before the person's; taken back, the person's holds again."""
        self.kept_out = kept_out

    @property
    def is_worth_keeping(self) -> bool:
        """Whether it says more than that nobody has said anything."""
        return self.kept_out or self.answer is not None

    def renewed(self) -> "Consent":
        """That of the same person, who comes back."""
        return Consent(self.rule, self.answer, self.kept_out)
