@api
Feature: A trigger is safe to repeat
  Whoever got no answer asks again with the same key, and gets the same run.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"

  Scenario: Triggered, it runs without whoever triggered it
    When it is triggered with "day" set to "2026-03-01" under the key "monday"
    And the triggered run has ended
    Then its record says "succeeded"
    And its record names the parameter "day" as "2026-03-01"
    And the ledger of "totals" has 1 publication

  Scenario: The same key and request is the same run
    Given it was triggered with "factor" set to "2" under the key "monday"
    When it is triggered with "factor" set to "2" under the key "monday"
    Then it is the same run as before
    And there is 1 run on record

  Scenario: The same key with another request is a conflict
    Given it was triggered with "factor" set to "2" under the key "monday"
    When it is triggered with "factor" set to "3" under the key "monday"
    Then it is refused
    And it was told "was used already, for run"
    And there is 1 run on record

  Scenario: A bad parameter is refused, with every problem at once
    When it is triggered with "factor" set to "two" and "dya" set to "2026-03-01"
    Then it is refused
    And it was told "parameter factor cannot be 'two'"
    And it was told "there is no parameter dya; did you mean day?"
    And no run is on record
