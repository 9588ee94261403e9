"""VMeet plugin: the frame filter ``pointrend``. Importing it loads no model runtime."""

from importlib.metadata import version

from vmeet_core.effects.options import EffectOptions
from vmeet_core.hookspecs import FrameFilter, FrameFilterProvider, Host, Source, Weight, hookimpl
from vmeet_pointrend.settings import PointRendSettings

MODEL = Weight(
    "pointrend.onnx",
    "ee2d5c7d5007514ffbc22b6977afa2329a81032e4d823b2f134cacc791a940ce",
    7504005,
    "Apache-2.0",
    (Source(package_data=("vmeet_pointrend", "pointrend.onnx")),),
)


class PointRendProvider(FrameFilterProvider):
    """Finds people and blurs or replaces what is behind them, in a few milliseconds of one core."""

    api = 1
    name = "pointrend"
    title = "Background (PointRend)"
    licence = "Apache-2.0"
    server_settings = PointRendSettings
    options = EffectOptions
    weights = (MODEL,)
    protects_privacy = True

    def __init__(self) -> None:
        self.version = version("vmeet-pointrend")

    def load(self, server_settings: PointRendSettings, host: Host) -> FrameFilter:
        """Read the network. Raises Permanent when a file, or detectron2 where it is asked for, is absent."""
        # Here, since only a process that filters should pay for OpenCV and a model runtime.
        if server_settings.backend == "detectron2":
            from vmeet_pointrend.detectron import load_detectron
            from vmeet_pointrend.engine import PointRendEngine

            return PointRendEngine(load_detectron(server_settings, host.device), host.picture)
        model = host.weight_path(MODEL)
        from vmeet_pointrend.engine import PointRendEngine
        from vmeet_pointrend.network import Network

        return PointRendEngine(Network(model, server_settings.threads), host.picture)


@hookimpl
def register_frame_filters() -> list[FrameFilterProvider]:
    """The one provider of this plugin."""
    return [PointRendProvider()]
