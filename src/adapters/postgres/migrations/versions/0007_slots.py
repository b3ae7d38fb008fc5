"""The ledger of slots: what is expected, and what became of it."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SLOTS = (
    """
    CREATE TABLE public.slot (
        id uuid PRIMARY KEY,
        tenant text NOT NULL DEFAULT 'default',
        pipeline text NOT NULL,
        logical text NOT NULL,
        at timestamptz NOT NULL,
        window_ends timestamptz NOT NULL,
        oddity text CONSTRAINT slot_oddity_known CHECK (oddity IN ('fold', 'gap')),
        expected boolean NOT NULL DEFAULT true,
        verdict text CONSTRAINT slot_verdict_known CHECK (verdict IN ('ran', 'late', 'skipped', 'missed')),
        late_by double precision,
        reason text CONSTRAINT slot_reason_known CHECK (reason IN (
            'paused', 'concurrency', 'dst', 'superseded', 'cancelled', 'suspended_outside', 'controller_away',
            'not_installed', 'quota', 'admission', 'image', 'unschedulable', 'not_started', 'not_launched',
            'not_known')),
        detail text,
        run_id uuid,
        decided_at timestamptz,
        told boolean NOT NULL DEFAULT false,
        CONSTRAINT slot_once UNIQUE (tenant, pipeline, logical),
        CONSTRAINT slot_decided CHECK ((decided_at IS NULL) = (verdict IS NULL)),
        CONSTRAINT slot_explained CHECK (verdict IN ('ran', 'late') OR (verdict IS NULL) = (reason IS NULL))
    ) WITH (fillfactor = 80)
    """,
    # The agenda of a tenant and of a pipeline, in the order of its pages.
    "CREATE INDEX slot_agenda ON public.slot (tenant, at, id)",
    "CREATE INDEX slot_of_pipeline ON public.slot (tenant, pipeline, at, id)",
    # What is to be fired, and what is to have a verdict: the few whose time has come.
    "CREATE INDEX slot_undecided ON public.slot (at, id) WHERE verdict IS NULL",
    "CREATE INDEX slot_untold ON public.slot (tenant, at) WHERE verdict = 'missed' AND NOT told",
    "CREATE INDEX slot_not_started ON public.slot (run_id) WHERE verdict = 'missed' AND reason = 'not_started'",
    """
    CREATE TABLE public.slot_plan (
        tenant text NOT NULL,
        pipeline text NOT NULL,
        source text NOT NULL CONSTRAINT slot_plan_source_known CHECK (source IN ('declared', 'cluster')),
        rule text NOT NULL,
        planned_until timestamptz NOT NULL,
        PRIMARY KEY (tenant, pipeline)
    ) WITH (fillfactor = 50)
    """,
)

RUNS = (
    "CREATE INDEX run_of_slot ON public.run (tenant, pipeline, slot) WHERE slot IS NOT NULL",
    "CREATE INDEX run_with_slot ON public.run (created_at) WHERE slot IS NOT NULL",
    "CREATE INDEX run_skipped_slot ON public.run (finished_at) WHERE slot IS NOT NULL AND status = 'skipped'",
)

# Each verdict is an event of its pipeline: among them the pauses that have ended are few, and looked for with each
# slot that has no run.
PAUSES = ("CREATE INDEX event_resumed ON public.event (tenant, subject, at) WHERE kind = 'pipeline.resumed'",)


def upgrade() -> None:
    """Make the tables, and find the runs of slots and the pauses that have ended."""
    for statement in (*SLOTS, *RUNS, *PAUSES):
        op.execute(statement)
