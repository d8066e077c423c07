"""What every other room stands on: queues, forms sent once, sealed values, the security log, bytes off the disk."""
