"""What leaves the house for others to check or to work with: the log, one case, the cases as a process."""
