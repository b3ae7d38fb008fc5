"""The steps of ``features/*.feature``: plain functions, for pytest-bdd never awaits an ``async def`` step."""
