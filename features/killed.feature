Feature: A killed run is found out
  No run says "running" for ever.

  # Not on a cluster: its kubelet has seen the signal, and "lost" is for what nobody has seen.
  @not_on_cluster
  Scenario: The supervisor is killed while the pipeline works
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And a run of it that waits in the middle of its work
    When its supervisor and its worker are killed
    And the runs are looked after
    Then its record says "lost"
    And its message holds "gone"
    And nobody can read the report "totals"
    And somebody is to be told that the run "lost"
    And a further attempt of it is refused with exit code 78

  @cluster_only
  Scenario: The supervisor is killed, and its node has seen the signal
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And a run of it that waits in the middle of its work
    When its supervisor and its worker are killed
    And the runs are looked after
    Then its record says "failed" because of "signal"
    And nobody can read the report "totals"
    And somebody is to be told that the run "failed"
    And a further attempt of it is refused with exit code 78

  Scenario: The supervisor is killed after it has published
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And a run of it whose supervisor is killed right after it has published
    When the runs are looked after
    Then its record says "succeeded"
    And its record rests on the "ledger"
    And readers of "totals" see what the run published
