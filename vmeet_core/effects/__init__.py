"""What every person-mask plugin needs: from a picture and a mask to a picture with another background.

``compose.Composer`` joins it all. Beneath it: ``seam`` (the mask's edge), ``temporal`` (the mask over time),
``background`` (what is put behind), ``light_wrap``, ``planes`` (arithmetic). All of these need OpenCV, the extra
``vmeet-core[effects]``; ``options`` and ``pictures`` do not, so that a provider can be built without it.
"""
