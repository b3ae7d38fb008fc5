@api
Feature: What did not succeed is run again
  A retry is a new run with the same parameters, and says which run it repeats.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"

  Scenario: A failed run is retried
    When it runs with "fail" set to "no rates"
    And it is retried under the key "again"
    And the triggered run has ended
    Then its record says "failed"
    And it is a retry of the run before
    And its record names the parameter "fail" as "no rates"

  Scenario: A retry is safe to repeat
    When it runs with "fail" set to "no rates"
    And it is retried under the key "again"
    And the first run is retried under the key "again"
    Then it is the same run as before
    And there are 2 runs on record

  Scenario: A run that succeeded is not retried
    Given it has run with "day" set to "2026-03-01"
    When it is retried under the key "again"
    Then it is refused
    And it was told "to run it once more: `kubescribe trigger daily_totals`"
    And there is 1 run on record
