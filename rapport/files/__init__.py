"""Tables in files, in and out: formats that know no entity. The front doors are detect, read and write."""
