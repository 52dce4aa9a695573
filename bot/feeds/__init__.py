"""Feeds: fetching, guarding, parsing, pacing, discovery, OPML. Nothing heavy is imported until it is used.

What acts: :mod:`.fetch` (policy of one fetch) over :mod:`.wire` (one bounded request), :mod:`.inflate`, :mod:`.resolve`
and :mod:`.gate` (turns at hosts); :mod:`.check`. What only decides: :mod:`.guard` (addresses), :mod:`.answers` and
:mod:`.headers` (what a response means), :mod:`.pacing` (when to ask again); and, for bodies, :mod:`.parse` over
:mod:`.tiers` (:mod:`.xmlreader`, :mod:`.jsonfeed`, :mod:`.lastresort`), :mod:`.encoding`, :mod:`.markup`, :mod:`.text`,
:mod:`.links`, :mod:`.names`, :mod:`.dates`, :mod:`.identity`; :mod:`.discover`, :mod:`.opml`.
"""
