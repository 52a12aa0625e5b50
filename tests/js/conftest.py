"""The real server for JavaScript clients."""

from tests.model_server import running_model_server
from tests.server import servers, template

__all__ = ["running_model_server", "servers", "template"]
