"""Hostile strings: more than 300 ways to become an element, a script or a request, made from few parts."""

from __future__ import annotations

from itertools import product

CALL = "canary=1"
TAGS = (
    f"<script>{CALL}</script>", f"<img src=x onerror={CALL}>", f"<svg onload={CALL}>",
    f"<svg><script>{CALL}</script></svg>",
    f"<iframe srcdoc='<script>parent.{CALL}</script>'>", f"<body onload={CALL}>", f"<details open ontoggle={CALL}>",
    f"<input autofocus onfocus={CALL}>", f"<video><source onerror={CALL}>", f"<a href='javascript:{CALL}'>x</a>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={CALL}>",
    "<link rel=stylesheet href=//evil.example/a>", "<img src=//evil.example/pixel>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", f"<x onclick={CALL}>x</x>",
    "<style>@import '//evil.example/a.css'</style>", "<object data=//evil.example>", "<base href=//evil.example/>",
    f"<form action=//evil.example><button formaction='javascript:{CALL}'>x", "<slot name=x></slot>",
    "<template>x</template>",
)  # fmt: skip
WRAPS = (
    "{}", "**{}**", "`{}`", "[{}](https://a.example/)", "- {}", "| {} | b |\n|---|---|\n| {} | c |", "> {}", "# {}",
    "```\n{}\n```", "\"'>{}", "</div></style></textarea>{}", "&lt;{}&gt;",
)  # fmt: skip
URLS = (
    f"javascript:{CALL}", f"JaVaScRiPt:{CALL}", f"java\tscript:{CALL}", f"\x01javascript:{CALL}",
    f"javascript&colon;{CALL}", f"javascript://%0a{CALL}", f"data:text/html,<script>parent.{CALL}</script>",
    f"vbscript:{CALL}", f"//evil.example/{CALL}",
    f"view-source:javascript:{CALL}", f"blob:javascript:{CALL}", "file:///etc/passwd",
)  # fmt: skip
LINKS = ("[x]({})", "![x]({})", "<{}>", "[x]( {} \"t\")", "[x][1]\n\n[1]: {}", "{}")
ODD = (
    "\u202egnirts\u202d", "\u2066a\u2067b\u2068", "a\u0300" * 300, "\u200b\u200c\u200d\ufeff",
    "{{constructor.constructor('" + CALL + "')()}}", "${" + CALL + "}", "<%= 1 %>", "__proto__", "constructor", "]]>",
    "<!--", "-->", "<![CDATA[", "&#x3c;script&#x3e;", "\\u003cscript\\u003e", "*" * 500, "[" * 500, "`" * 501,
    "> " * 200, "- " * 200, "|" * 300, "(" * 300, "\ud7ff\ue000\uffff", "🏳️‍🌈👩‍👩‍👧‍👦",
)  # fmt: skip
STRINGS = (
    *(wrap.replace("{}", tag) for tag, wrap in product(TAGS, WRAPS)),
    *(link.replace("{}", url) for url, link in product(URLS, LINKS)),
    *ODD,
)
