"""What all tables of RunLog share."""

from __future__ import annotations

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="public")

MOMENT = DateTime(timezone=True)
JSON = JSONB(none_as_null=True)
