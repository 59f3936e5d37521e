"""The least a service can do with a complaint: take it, insert one row, answer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel


class Complaint(BaseModel):
    """What is sent to ours as well."""

    narrative: str
    hall: str
    channel: str


def create_app() -> FastAPI:
    """Build it over the database named by DATABASE_URL, which has a table `complaints`."""
    pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=4, max_size=12, kwargs={"autocommit": True}, open=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with pool:
            pool.wait()
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/complaints", status_code=201, response_model=None)
    def register(complaint: Complaint) -> dict[str, UUID]:
        key = uuid4()
        with pool.connection() as connection:
            connection.execute(
                "insert into complaints (id, hall, channel, narrative) values (%s, %s, %s, %s)",
                (key, complaint.hall, complaint.channel, complaint.narrative),
            )
        return {"id": key}

    return app
