"""Tables that people bring: CSV and workbooks, read within limits."""
