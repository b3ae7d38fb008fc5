Feature: A paused pipeline lets its slots go by
  Somebody knows that the data is wrong for a while, and wants no report made of it.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And it is paused because "the rates are wrong"

  Scenario: A scheduled run is skipped, and says why
    When its slot comes
    Then the run ends with exit code 0
    And its record says "skipped"
    And its record says that it was skipped because of "paused"
    And its message holds "the rates are wrong"
    And nobody can read the report "totals"
    And nobody has to be told

  Scenario: A manual run goes on
    When it runs
    Then the run ends with exit code 0
    And its record says "succeeded"

  Scenario: Resumed, its slots count again
    Given it is resumed
    When its slot comes
    Then its record says "succeeded"
    And the audit has "pipeline.paused" and then "pipeline.resumed"
