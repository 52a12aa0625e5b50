"""The product's settings with a database of its own and a quick hasher.

No outside services, unless the suite runs on PostgreSQL and Redis (`python -m tests.services pytest`).
"""

import atexit
import os
import shutil
import tempfile
import uuid

from tests.services import DATABASE_VARIABLE, REDIS_VARIABLE, SUITE_VARIABLE, RedisServer

ON_SERVICES = SUITE_VARIABLE in os.environ
os.environ.update(
    DEBUG="on", DATABASE_URL="", REDIS_URL="", OPENAI_API_KEY="", SECRET_KEY="tests-only-" + "0" * 32
)
if ON_SERVICES:
    _redis = RedisServer(os.environ[REDIS_VARIABLE])
    atexit.register(_redis.close)
    os.environ.update(DATABASE_URL=os.environ[DATABASE_VARIABLE], REDIS_URL=_redis.database())

from tutor.settings import *  # noqa: E402, F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if ON_SERVICES:
    DATABASES["default"]["TEST"] = {"NAME": f"tutor_test_{uuid.uuid4().hex[:12]}"}  # noqa: F405
else:
    # A file, as in the product: an in-memory database is shared between threads by locking whole tables.
    _directory = tempfile.mkdtemp(prefix="tutor-tests-")
    atexit.register(shutil.rmtree, _directory, ignore_errors=True)
    DATABASES["default"]["TEST"] = {"NAME": f"{_directory}/test.sqlite3"}  # noqa: F405
