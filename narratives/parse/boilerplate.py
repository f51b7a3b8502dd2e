"""Recognise blocks that belong to the page and not to its text: buttons, forms, notices, where to ask."""

from __future__ import annotations

import re

MAX_NOTICE = 600  # characters
BOILERPLATE = re.compile(
    r"""(?:
      (?:READ\ MORE|READ\ ALSO|SEE\ ALSO|WATCH\ MORE|Read\ more|Read\ also|See\ also|Also\ on\ [\w.]+)\s*:.*
    | (?:Think\ your\ friends\ would\ be\ interested\?\s*)?Share\ this\ (?:story|article|page|post)\b.{0,40}
    | (?:Поделиться|Распечатать|Share|Print|Print\ version|Share\ on\ \w+|Tweet|Email)\s*:?
    | (?:All\ news|Podcasts?|Advertisement|Subscribe|Comments|Back\ to\ top|Table\ of\ contents)\s*:?
    | \d{1,2}:\d{1,2}(?::\d{2})?
    | [\d\s,.]+(?:views?|просмотр\w*)
    | This\ email\ address\ is\ being\ protected\ from\ spambots\..*
    | (?:tel|phone|fax)?[.:\s]*[+(]?\(?\d[\d\s()/;+.-]{7,}
    )""",
    re.VERBOSE,
)
# Answers of forms, comments of readers, other media, cookies, newsletters, contacts, ends of press releases, rights.
NOTICE = re.compile(
    r"""(?:
      (?:thank\ you[.!]?\ )?your\ (?:e-?mail|comment|message|request|form)\ (?:has\ been|was)\ (?:successfully\ )?
        (?:sent|submitted|received)(?:\ successfully)?[.!]?(?:\ thank\ you[.!]?)?
    | (?:sorry,\ )?an\ error\ (?:has\ )?occur+ed\b.{0,40}\b(?:e-?mail|comment|message|request|form|try\ again)\b.{0,80}
    | (?:invalid\ entry:\s?)?(?:you\ (?:can[’']?t|cannot|must|may\ not)|please)\ (?:enter|type|fill\ in|provide)\b
        .{0,40}\b(?:e-?mails?|codes?|addresses)\b.{0,60}
    | your\ e-?mail(?:\ address)?\ will\ not\ be\ published\b.{0,60}
    | (?:leave|post|add)\ a\ (?:comment|reply)[.!:]?|\d+\ comments?|no\ comments(?:\ yet)?\.?|comments\ are\ closed\.?
    | be\ the\ first\ to\ comment\b.{0,20}|you\ must\ (?:be\ logged|log)\ in\ to\ (?:post\ a\ )?comment\.?
    | (?:follow|like|join|find)\ us\ on\ (?:facebook|twitter|x|instagram|youtube|telegram|vk|linkedin|tiktok|whatsapp
        |threads|mastodon|social\ media)\b.{0,80}
    | (?:we|(?:this|our)\ (?:web)?site)\ uses?\ cookies\b.{0,500}
    | (?:wir\ verwenden|diese\ (?:web)?seite\ verwendet|nous\ utilisons|ce\ site\ utilise|utilizamos|usamos
        |este\ sitio\ (?:usa|utiliza)|questo\ sito\ utilizza|мы\ используем|(?:этот\ |наш\ )?сайт\ использует)\b
        .{0,40}\bcookies?\b.{0,400}
    | by\ (?:continuing|using|browsing|clicking|closing)\b.{0,120}\bcookies\b.{0,200}
    | (?:sign\ up|subscribe)\b.{0,80}\b(?:newsletters?|inbox|mailing\ list|e-?mail\ (?:alerts|updates))\b.{0,120}
    | get\ .{0,80}\b(?:to|in)\ your\ inbox\b.{0,60}
    | for\ (?:further|more|additional)\ information,?\ (?:please\ )?(?:contact|call|e-?mail|visit|write\ to)\b.{0,120}
    | (?:media|press)\ (?:contacts?|enquiries|inquiries)\s?:.{0,80}
    | .{0,80}\b(?:tel|phone|telephone|mobile|fax)\b[.:\s]{1,3}[+(]?\(?\d[\d\s()/;+.-]{5,}
    | (?:e-?mail\s?:?\s?)?[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}
    | [-–—*]\s?(?:ends|30)\s?[-–—*]|ends
    | (?:©|\(c\)|copyright(?:\ ©|\ \(c\))?)\s?(?:19|20)\d\d\b.{0,80}|.{0,100}\ball\ rights\ reserved\.?
    )""",
    re.VERBOSE | re.IGNORECASE,
)
ICON_WORD = re.compile(r"icon", re.IGNORECASE)
MIN_ICONS = 5


def is_boilerplate(text: str) -> bool:
    """Return whether a block is boilerplate: icon names, share and "read more" lines, counters, timers, notices."""
    if BOILERPLATE.fullmatch(text) or is_icon_list(text):
        return True
    return len(text) <= MAX_NOTICE and bool(NOTICE.fullmatch(text))


def is_icon_list(text: str) -> bool:
    """Return whether a block is a list of icon names, as found on pages with RT's layout."""
    return text.startswith("icon ") and len(ICON_WORD.findall(text)) >= MIN_ICONS
