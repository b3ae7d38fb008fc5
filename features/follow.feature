Feature: A log is followed
  Whoever waits for a run sees what it prints while it prints it.

  Background:
    Given the pipeline "talkative" that reads the orders and publishes nothing
    And a triggered run of it is at work

  @api
  Scenario: The lines come while the run is at work, and end with it
    When somebody follows its log
    Then they see "the first line"
    And its record says "running"
    When it may go on
    Then they have seen all of its output, each line once and in order
    And its record says "succeeded"

  @api_only
  Scenario: Cut off in the middle, and back again
    When somebody follows its log
    Then they see "the first line"
    When they are cut off
    And it may go on
    And they come back
    Then they have seen all of its output, each line once and in order
