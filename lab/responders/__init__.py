"""What answers on the ports of the practice province: one file a protocol."""
