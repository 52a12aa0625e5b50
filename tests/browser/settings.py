"""The product's settings, with static files as in production, where the tests have collected them."""

import os
from pathlib import Path

from tutor.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["STATIC_ROOT"])
