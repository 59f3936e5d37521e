"""What people read: pure folds over the log, and the tables they fill."""
