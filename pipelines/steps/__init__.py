"""The steps of reading a page, each a pure function; `pipelines.read_article` gives their order."""
