"""
What every test run needs beside the stack, which `dev/pytest_plugin.py` brings up.
"""

import gc


def pytest_collection_finish():
    """Leave what is loaded by now (NetBox, the tests) out of garbage collection, and collect the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 20, 50)
