"""A practice province in network namespaces, with no way out."""
