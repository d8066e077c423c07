"""Paper: forms printed, typed and compared; slips for a meeting."""
