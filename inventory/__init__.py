"""What should be there: declare, validate, query, topology, export."""
