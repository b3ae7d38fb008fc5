Feature: A script is wrapped
  Any command in any language gets a record, unmodified.

  Scenario Outline: A script in <language>
    When the script "<script>" runs under KubeScribe
    Then the run ends with exit code 0
    And its record says "succeeded"
    And its output is that of the script

    Examples:
      | language | script     |
      | Python   | nightly.py |
      | bash     | nightly.sh |
      | Perl     | nightly.pl |

  Scenario: A script that fails
    When the script "nightly.sh" runs under KubeScribe and fails with 3
    Then the run ends with exit code 3
    And its record says "failed" because of "exit_code"

  Scenario: A script whose exit code is one of ours
    When the script "nightly.sh" runs under KubeScribe and fails with 78
    Then the run ends with exit code 1
    And its record says "failed" because of "exit_code"
    And its death certificate names the exit code 78
