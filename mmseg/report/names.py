"""Names of the files in a work directory that a report reads, beside logs and evaluations."""

REPORT = 'report.html'
ORIGINS = '.origins.json'  # after the timestamp of the log: key, value, origin of config values
# What the data check of a training looked at, and a check of all data that the user asked for.
QUICK_CHECK, FULL_CHECK = 'data_check.json', 'data_full.json'
