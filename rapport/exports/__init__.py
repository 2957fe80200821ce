"""Files out: the rows of a query as tables that spreadsheets open and the import reads back."""
