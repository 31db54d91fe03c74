"""The dashboard: server-rendered pages over the published file.

Belongs here: routes, the state in the URL, pages, charts, templates and access. Not here: figures, which come from the
functions in reports/ that commands use as well. It writes only the files of edits, overrides, views and keys.
"""
