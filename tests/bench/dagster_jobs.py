"""What Dagster runs, in the peers' venv: the counterpart of ``orders_of_a_day``. As a program: record two runs.

Dagster looks at annotations as they are: none of them may be put off.
"""

# pyright: reportCallIssue=false, reportFunctionMemberAccess=false
# It is in the venv of the peers: here nobody knows what its decorators make.
from dagster import (  # pyright: ignore[reportMissingImports] # it is in the venv of the peers
    Config,
    DagsterInstance,
    Definitions,
    OpExecutionContext,
    job,
    op,
)


class Day(Config):
    """The parameters."""

    region: str = "eu"
    day: str = "2026-11-01"
    broken: bool = False


@op
def orders(context: OpExecutionContext, config: Day) -> int:
    """Twenty lines, two figures, and an error where it is asked for."""
    for step in range(1, 21):
        print(
            f"2026-11-01T04:15:{step:02} INFO orders.{config.region}: chunk {step} of 20, {step * 7919} rows, checked"
        )
    context.add_output_metadata({"rows": 1000, "orders": 1000, "refunds": 12})
    if config.broken:
        raise ValueError(f"orders of {config.day} in {config.region}: the sum of the lines is not the sum of the bill")
    return 1000


@job
def orders_of_a_day() -> None:
    """One step."""
    orders()


defs = Definitions(jobs=[orders_of_a_day])


if __name__ == "__main__":
    with DagsterInstance.get() as instance:
        for broken in (False, True):
            ended = orders_of_a_day.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={"ops": {"orders": {"config": {"broken": broken}}}},
                tags={"region": "eu"},
            )
            assert ended.success is not broken
