Feature: A report is browsed as it was
  What somebody saw on Monday can be looked at on Friday, for as long as the version is kept.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"
    And it has run with "day" set to "2026-03-01"
    And it has run with "factor" set to "10"

  @api
  Scenario: As the first run left it
    When somebody browses "totals" as the first run left it
    Then they see what the first run published
    And the page names the run that made it

  Scenario: As it was after a publication, while a newer one is shown
    When somebody browses "totals" as of the version before the current one
    Then they see what the first run published
    And readers of "totals" do not see what the first run published

  Scenario: Filtered and sorted
    When somebody browses "totals" downwards by "customer", of "bob" and "ada" alone
    Then they see the customers "bob, ada"

  @api
  Scenario: Page by page while somebody publishes
    When somebody browses the first page of "totals", of 1 row
    And it has run with "factor" set to "100"
    And they go on with the next page
    Then what they have seen is what the second run published

  @api
  Scenario: A version that is not kept
    When somebody browses "totals" as of version 999
    Then it is refused
    And it was told "999"

  Scenario: A value that does not fit its column
    When somebody browses "totals" where "amount" is "much"
    Then it is refused
    And it was told "a number like"

  Scenario: What differs
    When somebody compares the two last versions of "totals"
    Then it was told that 2 rows have changed
