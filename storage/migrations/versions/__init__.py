"""The steps, in order; the number at the beginning of a file's name is the schema that it makes."""
