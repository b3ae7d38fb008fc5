Feature: A bad parameter is refused
  A clear sentence, an exit code, and nothing was started.

  Background:
    Given the pipeline "daily_totals" that reads the orders and publishes the report "totals"

  # Not on a cluster: a run is asked for there, and what is wrong is told before there is one (the scenarios below).
  @not_on_cluster
  Scenario Outline: What cannot be understood is refused
    When it runs with "<name>" set to "<value>"
    Then the run ends with exit code 64
    And it was told "<sentence>"
    And no run is on record

    Examples:
      | name    | value      | sentence |
      | day     | yesterday  | day      |
      | dya     | 2026-03-01 | day      |

  # Not on a cluster: as above.
  @not_on_cluster
  Scenario: A pipeline that does not exist
    When the pipeline "daily_total" runs
    Then the run ends with exit code 64
    And it was told "daily_totals"
    And no run is on record

  @api
  Scenario Outline: What is triggered with it is refused at once
    When it is triggered with "<name>" set to "<value>" under the key "monday"
    Then it is refused
    And it was told "<sentence>"
    And no run is on record

    Examples:
      | name    | value      | sentence                   |
      | factor  | 1.5        | parameter factor cannot be |
      | dya     | 2026-03-01 | did you mean day?          |

  @api
  Scenario: A pipeline that does not exist is not triggered
    When the pipeline "daily_total" is triggered
    Then it is refused
    And it was told "daily_totals"
    And no run is on record
