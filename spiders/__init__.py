"""Where pages come from: feeds, news sitemaps, pages asked for by address."""
