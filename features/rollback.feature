Feature: A report is rolled back
  Yesterday's numbers are one command away, and the ledger says who went back and why.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And it has run with "day" set to "2026-03-01"
    And it has run with "factor" set to "10"

  @api
  Scenario: Back to the version before
    When "totals" is rolled back because "the factor was wrong"
    Then readers of "totals" see what the first run published
    And the ledger of "totals" has 3 publications
    And the newest publication of "totals" is a "rollback" because "the factor was wrong"
    And the audit has the event "report.rolled_back"

  Scenario: Back to a version that is not kept
    When "totals" is rolled back to version 999
    Then it is refused
    And it was told "999"
