#!/bin/sh
# Make the virtual environment $1 with the first Python from 3.11 on; what Debian keeps apart is installed by apt.
set -eu

for candidate in python3 python3.12 python3.11 python3.13; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "Python 3.11 or newer is needed." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "$(basename "$python")-venv" > /dev/null
    else
        echo "Python's venv module is missing: install the package $(basename "$python")-venv." >&2
        exit 1
    fi
fi
exec "$python" -m venv "$1"
