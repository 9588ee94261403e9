"""One file a step: ``VERSION`` (raised when its result changes), ``Params``, and ``run(work)`` for the child."""
