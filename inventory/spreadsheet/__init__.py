"""Excel workbooks of offices and devices: written, read back, and turned into changes of the province's files."""
