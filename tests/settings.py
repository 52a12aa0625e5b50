"""The product's settings with a database file of its own, a quick hasher and no outside services."""

import atexit
import os
import shutil
import tempfile

os.environ.update(
    DEBUG="on",
    DATABASE_URL="",
    REDIS_URL="",
    OPENAI_API_KEY="",
    SECRET_KEY="tests-only-" + "0" * 32,
)

from tutor.settings import *  # noqa: F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A file, as in the product: an in-memory database is shared between threads by locking whole tables.
_directory = tempfile.mkdtemp(prefix="tutor-tests-")
atexit.register(shutil.rmtree, _directory, ignore_errors=True)
DATABASES["default"]["TEST"] = {"NAME": f"{_directory}/test.sqlite3"}  # noqa: F405
