"""Finding records that are the same. Read only: `keys` says what makes records alike."""
