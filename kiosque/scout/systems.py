"""The systems that press sites run on: how each shows in its pages, and where it keeps its feeds. A table."""

from __future__ import annotations

from dataclasses import dataclass

SITEMAP_PATHS = ("/sitemap-news.xml", "/sitemap_news.xml", "/googlenews.xml", "/news-sitemap.xml", "/sitemap/news.xml")
"""Where news sitemaps stand most often, whatever the system: by count over the shipped outlets."""
FEED_PATHS = ("/feed/", "/rss.xml", "/rss", "/spip.php?page=backend", "/xml/syndication.rss", "/feed.xml", "/atom.xml")
"""Where main feeds stand most often, whatever the system: by count over the shipped outlets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A content management system, or a family of them."""

    name: str
    generator: tuple[str, ...] = ()
    """How its generator meta begins, in small letters."""
    signs: tuple[str, ...] = ()
    """What stands in its pages' markup, in small letters; any one is enough."""
    feeds: tuple[str, ...] = ()
    """Paths of its main feed."""
    sitemaps: tuple[str, ...] = ()
    """Paths of its news sitemap."""


# A generator meta is believed before any sign; among signs the first row wins, so what can stand on top of
# another system (a front end) comes last.
SYSTEMS = (
    System(  # Automattic; the news sitemap is that of Yoast News and Rank Math
        name="WordPress",
        generator=("wordpress",),
        signs=("/wp-content/", "/wp-includes/", "/wp-json/"),
        feeds=("/feed/",),
        sitemaps=("/news-sitemap.xml",),
    ),
    System(  # the French free system of many independent titles
        name="SPIP",
        generator=("spip",),
        signs=("spip.php?", "/squelettes/", "/plugins-dist/", "local/cache-css/", 'class="spip', "spip_logo"),
        feeds=("/spip.php?page=backend",),
    ),
    System(  # the Washington Post's; Fusion renders it
        name="Arc XP",
        generator=("arc xp",),
        signs=("/pf/dist/", "/pf/resources/", "fusion.globalcontent", "fusion-engine-script", "arcpublishing"),
        feeds=("/arc/outboundfeeds/rss/?outputType=xml",),
        sitemaps=(
            "/arc/outboundfeeds/news-sitemap/?outputType=xml",
            "/arc/outboundfeeds/sitemap-news/?outputType=xml",
            "/arc/outboundfeeds/news-sitemap-index/?outputType=xml",
        ),
    ),
    System(  # Dries Buytaert and others
        name="Drupal",
        generator=("drupal",),
        signs=("/sites/default/files/", "drupal-settings-json", "drupal.settings", "/core/misc/drupal"),
        feeds=("/rss.xml", "/feed"),
    ),
    System(  # Open Source Matters
        name="Joomla",
        generator=("joomla",),
        signs=("option=com_content", "/media/jui/", "/components/com_content", "/media/vendor/joomla"),
        feeds=("/?format=feed&type=rss", "/index.php?format=feed&type=rss"),
    ),
    System(  # the French host of overseas and Corsican titles
        name="WMaker",
        generator=("wmaker",),
        signs=("wmaker.net", "/wm-v", "wm-module"),
        feeds=("/xml/syndication.rss",),
    ),
    System(  # now Ibexa
        name="eZ Publish",
        generator=("ez publish", "ez platform", "ibexa"),
        signs=("/extension/ezpublish", "/var/ezwebin_site", "/bundles/ezplatform", "ezrichtext"),
        feeds=("/rss.xml", "/rss"),
    ),
    System(name="TYPO3", generator=("typo3",), signs=("/typo3temp/", "/fileadmin/"), feeds=("/rss.xml", "/feed.xml")),
    System(name="Ghost", generator=("ghost",), signs=("/ghost/api/", "ghost-portal"), feeds=("/rss/",)),
    System(name="Dotclear", generator=("dotclear",), signs=("/dc2/", "dotclear"), feeds=("/feed/rss2", "/feed/atom")),
    System(  # Google
        name="Blogger",
        generator=("blogger",),
        signs=("blogger.com/static", "www.blogger.com/feeds"),
        feeds=("/feeds/posts/default?alt=rss",),
    ),
    System(name="Substack", generator=("substack",), signs=("substackcdn.com",), feeds=("/feed",)),
    System(name="Wix", generator=("wix.com",), signs=("static.wixstatic.com",), feeds=("/blog-feed.xml",)),
    System(name="Squarespace", generator=("squarespace",), signs=("static1.squarespace.com",), feeds=("/?format=rss",)),
    System(name="Hugo", generator=("hugo",), feeds=("/index.xml",)),
    System(name="Jekyll", generator=("jekyll",), feeds=("/feed.xml",)),
    System(name="Eleventy", generator=("eleventy",), feeds=("/feed.xml",)),
    System(name="Next.js", generator=("next.js",), signs=("/_next/static/", "__next_data__")),  # a front end
    System(name="Nuxt", generator=("nuxt",), signs=("/_nuxt/", "__nuxt__")),  # a front end
)


def name_system(generators: tuple[str, ...], markup: str) -> System | None:
    """Name the system of a page from its generator metas and its markup (in small letters), None when unknown."""
    told = [generator.strip().lower() for generator in generators]
    for system in SYSTEMS:
        if any(generator.startswith(system.generator) for generator in told if system.generator):
            return system
    return next((system for system in SYSTEMS if any(sign in markup for sign in system.signs)), None)
