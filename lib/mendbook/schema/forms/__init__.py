"""The lock-safe forms: for each kind of object, the Steps that create, change and drop it."""
