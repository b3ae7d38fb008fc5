Feature: A run is recorded
  Whoever asks the next morning sees what ran, on what, with what result.

  Scenario: A run that succeeds
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    When it runs with "day" set to "2026-03-01"
    Then the run ends with exit code 0
    And its record says "succeeded"
    And its record names the parameter "day" as "2026-03-01"
    And its record names the input "orders" with 3 rows
    And its record names the report "totals" with 2 rows
    And its record names the metric "orders" as 3
    And its record says who started it
    And its output holds the line "adding up 3 orders"
    And every step of it left an event, from "run.created" to "run.succeeded"

  Scenario: A run without a report
    Given the pipeline "counting" that reads the orders and publishes nothing
    When it runs
    Then the run ends with exit code 0
    And its record says "succeeded"
