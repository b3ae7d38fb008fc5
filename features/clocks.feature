Feature: A time that an autumn night shows twice is one slot
  Kubernetes makes a Job for each of both moments. Somebody wants one report a night.

  Background:
    Given the pipeline "nightly_count" whose schedule is by a clock that goes back in autumn

  Scenario: The first of both moments runs, and the second is skipped
    When its slot comes for the first time in that night
    Then the run ends with exit code 0
    And its record says "succeeded"
    When its slot comes for the second time in that night
    Then the run ends with exit code 0
    And its record says "skipped"
    And its record says that it was skipped because of "dst"
    And its message holds "says fold='twice'"
    And nobody has to be told

  Scenario: A pipeline that says twice runs at both
    Given the pipeline "nightly_count_twice" whose schedule is by a clock that goes back in autumn
    When its slot comes for the first time in that night
    Then its record says "succeeded"
    When its slot comes for the second time in that night
    Then its record says "succeeded"
