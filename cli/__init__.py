"""The commands: composes the other rooms."""
