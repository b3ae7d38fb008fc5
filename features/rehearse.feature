Feature: A rehearsal publishes nothing
  Somebody wants to know what a run would do to a report, before it does.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And it has run with "day" set to "2026-03-01"

  Scenario: The difference is on record, and readers see what they saw
    When it is rehearsed with "factor" set to "2"
    Then the run ends with exit code 0
    And its record says "succeeded"
    And its record says that it was a rehearsal
    And it would have changed 2 rows of "totals", added 0 and removed 0
    And readers of "totals" see what the first run published
    And the ledger of "totals" has 1 publication
    And nothing of it is left in the report database

  Scenario: A rehearsal fails as the run would
    When it is rehearsed with "fail" set to "no rates"
    Then the run ends with exit code 1
    And its record says "failed"
    And the ledger of "totals" has 1 publication
    And nothing of it is left in the report database
