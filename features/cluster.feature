@cluster_only
Feature: Kubernetes starts and ends it, and the record follows
  Whoever looks at the record need not look at the cluster, and finds its words there.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"

  Scenario: Its slot comes, and nobody is asked
    When its slot comes
    Then the run ends with exit code 0
    And its record says "succeeded"
    And its record names the slot, and the schedule as who started it
    And the ledger of "totals" has 1 publication

  Scenario: Somebody makes a Job of its CronJob
    When somebody makes a Job of its CronJob
    Then its record says "succeeded"
    And its record names "cluster" as who started it

  Scenario: What nobody has put on the cluster is not run there
    Given its CronJob is not on the cluster
    And it was triggered under the key "monday"
    And the triggered run has ended
    Then its record says "failed"
    And its message holds "apply what `kubescribe manifests` renders"

  Scenario: It takes more memory than it may have
    Given the pipeline "patient" that reads the orders and publishes nothing
    And a triggered run of it is at work
    When its container runs out of memory
    And the runs are looked after
    Then its record says "failed" because of "oom_killed"
    And its message holds "1073741824"
    And somebody is to be told that the run "failed"

  Scenario: Its pod is evicted, and another one goes on
    Given the pipeline "talkative" that reads the orders and publishes nothing
    And a triggered run of it is at work
    When its pod is evicted
    And another pod works on it
    And it may go on
    Then its record says "succeeded"
    And it took 2 attempts

  Scenario: Somebody deletes its Job
    Given the pipeline "patient" that reads the orders and publishes nothing
    And a triggered run of it is at work
    When somebody deletes its Job
    And the runs are looked after
    Then its record says "cancelled"
    And its message holds "deleted on the cluster"
    And nothing of it is at work any more

  Scenario: A pause is seen on the cluster
    Given the pipeline "leap_day" that reads the orders and publishes nothing
    And it is paused because "the rates are wrong"
    Then its CronJob is suspended
    When it is resumed
    Then its CronJob is not suspended

  Scenario: A CronJob that knows nothing of KubeScribe is on record by its label
    Given somebody's CronJob with the label of the pipeline "cleanup" that prints "swept" and exits with 0
    When its slot comes
    Then its record says "succeeded"
    And its record names the slot, and the schedule as who started it
    And its death certificate has the line "swept"

  Scenario: It fails, and says why in its last lines
    Given somebody's CronJob with the label of the pipeline "cleanup" that prints "no disk left" and exits with 3
    When its slot comes
    Then its record says "failed" because of "exit_code"
    And its death certificate names the exit code 3
    And its death certificate has the line "no disk left"
    And somebody is to be told that the run "failed"
