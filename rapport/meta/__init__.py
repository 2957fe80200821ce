"""What an entity is: kinds of value, fields, declarations, registry. Knows nothing of sales."""
