"""What other tools read: pure functions from a province and some of its devices to text, one file a format."""
