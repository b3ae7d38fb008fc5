Feature: A failing run keeps the last report
  Readers never see half a report, and never lose the last whole one.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And it has run with "day" set to "2026-03-01"

  Scenario: The pipeline raises
    When it runs with "fail" set to "the rates are missing"
    Then the run ends with exit code 1
    And its record says "failed" because of "error"
    And its message holds "the rates are missing"
    And readers of "totals" see what the first run published
    And somebody is to be told that the run "failed"

  Scenario: A check fails
    When it runs with "day" set to "2026-03-02"
    Then the run ends with exit code 65
    And its record says "failed" because of "precondition"
    And its message holds "rows(min=1)"
    And readers of "totals" see what the first run published

  Scenario: The rows do not fit the report
    When it runs with "extra" set to "true"
    Then the run ends with exit code 65
    And its record says "failed" because of "precondition"
    And its message holds "surprise"
    And readers of "totals" see what the first run published

  Scenario: The author gives up
    When it runs with "give_up" set to "true" and 3 retries
    Then the run ends with exit code 1
    And it took 1 attempt
