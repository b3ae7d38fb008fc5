@api
Feature: The past is not edited
  Whoever asks a year later who did what gets an answer that nobody has touched.

  Background:
    Given the pipeline "counting" that reads the orders and publishes nothing
    And it is paused because "the rates are wrong"
    And it was triggered under the key "monday"
    And the triggered run has ended
    And everything is sealed

  Scenario: What was asked for is on record, and the chain holds
    When the audit is verified
    Then the audit holds
    And "pipeline.paused" names who asked for it
    And "run.created" names who asked for it
    And the audit has "run.created" and then "run.succeeded"

  Scenario: An event that was changed is found
    When somebody changes in the database who is named by "pipeline.paused"
    And the audit is verified
    Then the audit says that something was "altered"

  Scenario: An event that was removed is found
    When somebody removes "run.created" from the database
    And the audit is verified
    Then the audit says that something was "missing"

  Scenario: An end that was cut off is found by an anchor that was kept elsewhere
    Given an anchor is kept elsewhere
    When somebody removes "run.succeeded" from the database
    And the audit is verified
    Then the audit says that something was "truncated"
