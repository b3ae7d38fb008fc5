@api
Feature: Cancelled means gone
  A run that nobody wants any more is ended, and the record says so when it was seen gone.

  Scenario: A run at work is cancelled
    Given the pipeline "patient" that reads the orders and publishes nothing
    And a triggered run of it is at work
    When it is cancelled because "wrong day"
    Then its record says "cancelled"
    And its message holds "wrong day"
    And nothing of it is at work any more
    And the audit has "run.cancelling" and then "run.cancelled"

  Scenario: A run that has ended cannot be cancelled
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And it has run with "day" set to "2026-03-01"
    When it is cancelled because "too late"
    Then it is refused
    And it was told "has ended already: it is succeeded"
    And its record says "succeeded"
