Feature: A retry publishes once
  A second attempt is the same run: its report appears once, whole.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"

  Scenario: The second attempt succeeds
    When it runs with "fail_first" set to "true" and 2 retries
    Then the run ends with exit code 0
    And its record says "succeeded"
    And it took 2 attempts
    And the ledger of "totals" has 1 publication

  # Not on a cluster: Kubernetes waits 10 s and then 20 s before the attempts, and the scenario above has seen one.
  @not_on_cluster
  Scenario: No attempt succeeds
    When it runs with "fail" set to "no rates" and 2 retries
    Then the run ends with exit code 1
    And it took 3 attempts
    And nobody can read the report "totals"

  Scenario: A run that has published is started again under its id
    Given it has run with "day" set to "2026-03-01"
    When the same run is started again
    Then the run ends with exit code 0
    And the ledger of "totals" has 1 publication
