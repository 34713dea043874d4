"""Files: finds them, waits until they are whole, reads them, cuts them into chunks and hands them to `kb`."""
