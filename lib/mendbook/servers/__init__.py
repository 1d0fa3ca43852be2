"""What `mendbook.embedded` is made of: programs, data directories, supervisors and lifelines."""
