"""The ingestion service on FastAPI and aiokafka: one asynchronous process, pydantic's compiled validator."""

import calendar
import os
import re
import time
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from uuid_utils import uuid7

TOPIC = os.environ.get("KAFKA_TOPIC", "events")
MAX_UNIX_MS = 8_640_000_000_000_000
RFC3339 = re.compile(
    r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def check_timestamp(value: Any) -> Any:
    """RFC 3339 with a day that its month has, or Unix milliseconds."""
    if isinstance(value, str):
        found = RFC3339.fullmatch(value)
        if found is None:
            raise ValueError("must be an RFC 3339 date-time")
        year, month, day = int(found[1]), int(found[2]), int(found[3])
        days = 29 if month == 2 and calendar.isleap(year) else calendar.mdays[month]
        if day > days:
            raise ValueError("is not a date that the calendar has")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be an RFC 3339 date-time or Unix milliseconds")
    if value % 1 != 0 or not 0 <= value <= MAX_UNIX_MS:
        raise ValueError("must be an integer from 0")
    return value


class Event(BaseModel):
    """The rules of packages/contract/src/event.ts; a member that is null is refused, as there."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event_type: Annotated[str, Field(min_length=1, max_length=128)]
    event_id: Annotated[str, Field(min_length=1, max_length=128, default_factory=lambda: str(uuid7()))]
    user_id: Annotated[str, Field(min_length=1, max_length=256)] = None  # type: ignore[assignment]
    timestamp: Annotated[
        Any, BeforeValidator(check_timestamp), Field(default_factory=lambda: time.time_ns() // 1_000_000)
    ]
    payload: dict[str, Any] = None  # type: ignore[assignment]


class Outcomes:
    delivered = 0
    failed = 0


def count_outcome(delivery) -> None:
    if delivery.cancelled() or delivery.exception() is not None:
        Outcomes.failed += 1
    else:
        Outcomes.delivered += 1


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.kafka = AIOKafkaProducer(
        bootstrap_servers=os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"),
        linger_ms=5,
        max_batch_size=1_048_576,
        compression_type="lz4",
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=30_000,
    )
    await app.state.kafka.start()
    await app.state.kafka.partitions_for(TOPIC)
    yield
    await app.state.kafka.stop()


app = FastAPI(lifespan=lifespan)


@app.post("/register_event", status_code=202)
async def register_event(event: Event):
    value = event.model_dump_json(exclude_none=True).encode()
    key = None if event.user_id is None else event.user_id.encode()
    try:
        delivery = await app.state.kafka.send(TOPIC, value, key=key)
    except MessageSizeTooLargeError as error:
        raise HTTPException(413, str(error)) from error
    except KafkaError as error:
        raise HTTPException(503, str(error), {"Retry-After": "1"}) from error
    delivery.add_done_callback(count_outcome)
    # Handed over as it is: a plain return value would go through FastAPI's encoder first.
    return JSONResponse({"status": "accepted", "event_id": event.event_id}, 202)


@app.get("/health/ready")
async def outcomes():
    return {"delivered": Outcomes.delivered, "failed": Outcomes.failed}


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "3000")),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
