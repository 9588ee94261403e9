"""What a meeting or a person may choose about the background. Needs no OpenCV."""

from typing import Any, Literal

from pydantic import Field, model_validator

from vmeet_core.effects.pictures import BUILT_IN
from vmeet_core.hookspecs import Options

#: A colour, or the name of a picture.
BACKGROUND = r"^(#[0-9a-fA-F]{6}|[a-z0-9][a-z0-9_-]{0,63})$"


class EffectOptions(Options):
    """A plugin takes this class, or one that adds to it, as the ``options`` of its provider.

    Whoever names a background and no effect means ``replace``.
    """

    effect: Literal["blur", "replace"] = Field(
        "blur", title="Effect", description="blur: the room, out of focus; replace: the background chosen below."
    )
    background: str = Field(
        next(iter(BUILT_IN)),
        pattern=BACKGROUND,
        title="Background",
        description=f"What replaces the room: a colour such as #20603c, or a picture: {', '.join(BUILT_IN)}.",
    )
    strength: float = Field(
        0.6, ge=0, le=1, title="Blur", description="How far the room is out of focus: 0 a little, 1 beyond recognition."
    )
    feather: float = Field(
        0.3, ge=0, le=1, title="Soft edge", description="Width of the person's soft edge: 0 sharp, 1 wide."
    )
    light_wrap: float = Field(
        0.15, ge=0, le=1, title="Light", description="How much of the background's light falls on the person's edge."
    )
    smoothing: float = Field(
        0.5, ge=0, le=1, title="Calm", description="How calmly the edge stands while nothing moves: 0 follows at once."
    )

    @model_validator(mode="before")
    @classmethod
    def _a_background_alone_replaces(cls, given: Any) -> Any:
        if isinstance(given, dict) and "background" in given and "effect" not in given:
            return {**given, "effect": "replace"}
        return given
