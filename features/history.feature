@api
Feature: The history is read page by page
  Newest first, without gaps or repeats, whatever is added meanwhile.

  Scenario: Page through the history
    Given the pipeline "counting" that reads the orders and publishes nothing
    And it has run 3 times
    When the history is read by pages of 2, with a further run after the first page
    Then the pages held the first 3 runs, newest first, once each
