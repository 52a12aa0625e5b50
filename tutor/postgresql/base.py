"""Django's PostgreSQL, whose pool finds out at once that the server has been away."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection that answers.

        The pool's own check tries dead connections one by one with growing pauses between them, longer than
        a student waits. Where one is dead, most are: here all are replaced.
        """
        connection: Any = super().get_new_connection(conn_params)
        pool = self.pool
        if pool is None:
            return connection
        try:
            connection.execute("")
        except psycopg.Error:
            pool.putconn(connection)
            pool.drain()
            connection = super().get_new_connection(conn_params)
        return connection
