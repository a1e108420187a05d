"""Tell how it is: probes, watch, metrics."""
