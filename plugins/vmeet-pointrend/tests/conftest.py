"""The network, loaded as a server does, and the material beside the checkout."""

from pathlib import Path

import pytest
from vmeet_pointrend import MODEL
from vmeet_pointrend.network import Network

from vmeet_core.hookspecs import Host
from vmeet_core.testing import local_host
from vmeet_core.weights import WeightStore


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """Its folder of weights is empty: the package carries what is needed."""
    return local_host(WeightStore(tmp_path_factory.mktemp("weights"), offline=True).path)


@pytest.fixture(scope="session")
def network(host: Host) -> Network:
    return Network(host.weight_path(MODEL), threads=1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Photos and clips that are no part of the product; skips where they are absent."""
    folder = Path(__file__).parents[3] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("the folder shared/data beside the checkout is absent")
    return folder.resolve()
