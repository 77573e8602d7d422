"""The daemon's one HTTP server and all its pages: status, figures, people's own pages, the admins' side, X's webhook.

No rule of paying is here. A page asks a room what is so, shows it, and hands a POST to the room that acts, each in one
transaction. Nothing acts on a GET: whoever previews a link fetches it.
"""
