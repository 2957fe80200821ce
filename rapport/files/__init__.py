"""Tables in files, in and out, without any entity. Enter through detect, read and write."""
