"""The aiohttp application: pages, REST, signalling; it joins forwarding, recording and pipeline."""
