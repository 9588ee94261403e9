"""The light of the background on the person's rim, which makes the person look as if standing there."""

import cv2

from vmeet_core.color import Plane
from vmeet_core.effects.planes import Alpha, Workspace, blend, grown, plane_of, shrunk
from vmeet_core.hookspecs import Frame

REACH = 0.03  #: how far it creeps in, as a part of the picture's shorter side


class LightWrap:
    """Lights the person of one stream."""

    def __init__(self) -> None:
        self._space = Workspace()

    def lit(self, person: Frame, light: Frame, alpha: Alpha, strength: float) -> Frame:
        """``person`` with the rim that ``alpha`` shows lit by ``light``, all of one size; ``strength`` 0 to 1.

        Dark light lights little. Further inside than ``REACH`` the person stays as it is, to the bit. The frame is
        ``person`` itself at strength 0; otherwise it is valid until the next call.
        """
        if strength == 0:
            return person
        chroma = rim(light, alpha, strength)
        luma = grown(chroma, alpha.luma.shape, self._space.plane("rim", alpha.luma.shape))
        return blend(light, person, Alpha(luma, chroma), self._space)


def rim(light: Frame, alpha: Alpha, strength: float) -> Plane:
    """How much light each pixel catches, of 255: near the outside, and where it is bright; (h, w) uint8 as chroma."""
    half = alpha.chroma.shape
    reach = 2 * round(REACH * min(half)) + 1
    outside = cv2.blur(cv2.bitwise_not(alpha.chroma), (reach, reach))
    caught = cv2.multiply(outside, alpha.chroma, scale=strength / 255)
    return plane_of(cv2.multiply(caught, shrunk(light.y, half), scale=1 / 255), half)
